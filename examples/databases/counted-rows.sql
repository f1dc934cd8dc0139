-- A patent office: the rows are patents, their number is the attribute.
create schema ip;
create table ip.holder (
  holder_no text primary key,
  uscc text unique,
  holder_name text not null
);
create table ip.patent (
  patent_no text primary key,
  holder_no text not null references ip.holder,
  kind text not null,
  status text not null,
  granted_on date,
  valuation numeric(16, 2)
);
create index on ip.patent (holder_no);

insert into ip.holder values ('H1', '91510104000000017X', '成都甲科技有限公司'), ('H2', '91510104000000028Y', '成都乙贸易有限公司');
insert into ip.patent values
  ('P1', 'H1', 'invention', 'granted', '2020-05-01', 100000),
  ('P2', 'H1', 'invention', 'granted', '2022-07-15', 250000.50),
  ('P3', 'H1', 'invention', 'pending', null, null),
  ('P4', 'H1', 'design', 'granted', '2021-01-01', null);
