-- Roles for one department. Run as an administrator, in the department's database; choose other passwords.
create role concordat_reader login password 'change me';
grant usage on schema register to concordat_reader;
grant select (uscc, ent_name, legal_rep, ent_type, reg_cap_wan, est_date, addr, updated_at) on register.enterprise to concordat_reader;

create role concordat_agent login password 'change me too';
-- `concordat department init-schema --config department.yaml` prints the agent's schema with its grants.
