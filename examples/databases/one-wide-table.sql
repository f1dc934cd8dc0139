-- A register with one row for each enterprise; capital in ten thousand yuan, the kind of enterprise as a code.
create schema register;
create table register.enterprise (
  uscc char(18) primary key,
  ent_name varchar(200) not null,
  legal_rep varchar(60),
  ent_type char(4),
  reg_cap_wan numeric(18, 6),
  est_date date,
  addr text,
  updated_at timestamptz not null default now()
);
create index on register.enterprise (ent_name);

insert into register.enterprise values
  ('91510104000000017X', '成都甲科技有限公司', '张三', '1130', 500.000000, '2015-03-09', '成都市锦江区一号', '2024-01-05 09:00+08'),
  ('91510104000000028Y', '成都乙贸易有限公司', '李四', '1210', 32.5, '2019-11-30', null, '2024-02-01 09:00+08');
