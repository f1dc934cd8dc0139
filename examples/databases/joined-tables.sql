-- A tax office: parties have numbers of their own, and a yearly return each.
create schema tax;
create table tax.party (
  party_id bigint primary key,
  credit_code varchar(18) unique,
  party_name text not null
);
create table tax.yearly_return (
  party_id bigint not null references tax.party,
  year int not null,
  staff int,
  paid_in_capital numeric(20, 2),
  filed_at timestamptz,
  primary key (party_id, year)
);
create table tax.bank_account (
  account_no text primary key,
  party_id bigint not null references tax.party,
  bank text not null,
  purpose text not null,
  closed_on date
);
create index on tax.bank_account (party_id);

insert into tax.party values (1, '91510104000000017X', '成都甲科技有限公司'), (2, null, '成都丙服务有限公司');
insert into tax.yearly_return values
  (1, 2022, 40, 3000000, '2023-03-01 23:30+08'), (1, 2023, 52, 5000000, '2024-03-01 00:30+08'), (2, 2023, null, 10000, null);
insert into tax.bank_account values
  ('6222-1', 1, '中国银行', 'basic', null), ('6222-2', 1, '工商银行', 'basic', '2020-01-01'), ('6222-3', 1, '农业银行', 'wages', null);
