/** The built-in mapping template: forms for the attributes of Table 2 (paper, section 5), with Chinese and English labels. */
import type { Template, TemplateSource } from './template.js'
import type { TransformName } from './transforms.js'

const beside = (form: string, ...labels: string[]): TemplateSource => ({ kind: 'label', form, labels })
const at = (form: string, pointer: string): TemplateSource => ({ kind: 'pointer', form, pointer })
const texts = (form: string, pointer: string, ...labels: string[]) => ({
  sources: [beside(form, ...labels), at(form, pointer)],
})

/** Amounts in yuan, in ten thousand yuan, or with their unit. */
function amount(name: string, chinese: string, english: string): { sources: TemplateSource[] } {
  const label = (labels: string[], transforms: TransformName[]): TemplateSource => {
    return { kind: 'label', form: 'registration', labels, transforms }
  }
  return {
    sources: [
      label([chinese], ['yuan-of-amount']),
      label([`${chinese}（元）`, `${english} (yuan)`, english], ['remove-group-separators']),
      label([`${chinese}（万元）`, `${english} (10,000 yuan)`], ['remove-group-separators', 'times-10000']),
      at('registration', `/${name}`),
    ],
  }
}

const date = {
  sources: [
    {
      kind: 'label' as const,
      form: 'registration',
      labels: ['成立日期', '注册日期', 'Registration date', 'Date of registration'],
      transforms: ['date-without-time' as const, 'date-year-month-day' as const],
    },
    at('registration', '/registrationDate'),
  ],
}

const name = ['企业名称', '公司名称', '单位名称', '名称', 'Company name', 'Name of enterprise']
const creditCode = ['统一社会信用代码', 'Unified social credit code', 'Credit code']
const representative = ['法定代表人', '法定代表人姓名', 'Legal representative']

export const table2Template: Template = {
  format: 'concordat-declaration-template/1',
  name: 'table2',
  title: 'Registration, bank and intellectual property of an enterprise',
  forms: {
    registration: { title: 'Registration', sheets: ['企业基本情况', '基本情况', 'Registration'] },
    bank: { title: 'Bank and legal representative', sheets: ['开户信息', '银行账户', 'Bank'] },
    rights: {
      title: 'List of intellectual property rights',
      sheets: ['知识产权清单', '知识产权', 'Intellectual property'],
      list: {
        pointer: '/rights',
        columns: {
          kind: {
            headers: ['类型', '知识产权类型', '专利类型', 'Kind'],
            filled: true,
            oneOf: {
              invention: ['发明专利', '发明', 'Invention patent', 'Invention'],
              utility: ['实用新型专利', '实用新型', 'Utility model patent', 'Utility model'],
              design: ['外观设计专利', '外观设计', 'Design patent', 'Design'],
              software: ['软件著作权', '计算机软件著作权', 'Software copyright'],
            },
          },
          number: {
            headers: ['专利号', '登记号', '专利号/登记号', '证书编号', 'Number', 'Patent number'],
            filled: true,
            unique: true,
            transforms: ['half-width', 'remove-spaces'],
          },
          title: { headers: ['名称', '专利名称', 'Title'], optional: true },
        },
        end: ['合计', '总计', '注', '填表人', 'Total', 'Note'],
      },
    },
    staff: {
      title: 'Staff list',
      sheets: ['员工花名册', '人员名单', 'Staff'],
      list: {
        pointer: '/staff',
        columns: {
          name: { headers: ['姓名', 'Name'], filled: true },
          idNumber: {
            headers: ['身份证号', '身份证号码', '证件号码', 'ID number'],
            filled: true,
            unique: true,
            transforms: ['half-width', 'remove-spaces'],
          },
          insured: {
            headers: ['是否参保', '参加社保', 'Social security'],
            filled: true,
            oneOf: { yes: ['是', 'Y', 'Yes', '√'], no: ['否', 'N', 'No', '×'] },
          },
        },
        end: ['合计', '总计', '注', '填表人', 'Total', 'Note'],
      },
    },
  },
  attributes: {
    companyName: {
      sources: [
        beside('registration', ...name),
        at('registration', '/companyName'),
        beside('bank', ...name),
        at('bank', '/companyName'),
      ],
    },
    unifiedSocialCreditCode: {
      sources: [beside('registration', ...creditCode), at('registration', '/unifiedSocialCreditCode')],
    },
    registeredCapital: amount('registeredCapital', '注册资本', 'Registered capital'),
    paidUpCapital: amount('paidUpCapital', '实缴资本', 'Paid-up capital'),
    registrationDate: date,
    registrationAddress: texts(
      'registration',
      '/registrationAddress',
      '注册地址',
      '住所',
      'Registered address',
      'Address',
    ),
    employees: {
      sources: [
        beside('registration', '职工人数', '从业人数', '员工人数', 'Employees', 'Number of employees'),
        at('registration', '/employees'),
        { kind: 'count', form: 'staff' },
      ],
    },
    socialSecurityEmployees: {
      sources: [
        beside('registration', '参保人数', '社保缴纳人数', 'Employees with social security'),
        at('registration', '/socialSecurityEmployees'),
        { kind: 'count', form: 'staff', where: { insured: 'yes' } },
      ],
    },
    openingBank: texts('bank', '/openingBank', '开户银行', '开户行', 'Bank', 'Opening bank'),
    bankAccount: {
      sources: [
        {
          kind: 'label',
          form: 'bank',
          labels: ['银行账号', '账号', 'Bank account', 'Account'],
          transforms: ['half-width', 'remove-spaces'],
        },
        at('bank', '/bankAccount'),
      ],
    },
    legalRepresentative: {
      sources: [
        beside('registration', ...representative),
        at('registration', '/legalRepresentative'),
        beside('bank', ...representative),
        at('bank', '/legalRepresentative'),
      ],
    },
    legalRepresentativeId: {
      sources: [
        {
          kind: 'label',
          form: 'bank',
          labels: ['法定代表人身份证号', '身份证号', 'ID number of the legal representative'],
          transforms: ['half-width', 'remove-spaces'],
        },
        at('bank', '/legalRepresentativeId'),
      ],
    },
    intellectualPropertyRights: { sources: [{ kind: 'count', form: 'rights' }] },
    inventionPatents: { sources: [{ kind: 'count', form: 'rights', where: { kind: 'invention' } }] },
    utilityModelPatents: { sources: [{ kind: 'count', form: 'rights', where: { kind: 'utility' } }] },
    designPatents: { sources: [{ kind: 'count', form: 'rights', where: { kind: 'design' } }] },
    softwareCopyrights: { sources: [{ kind: 'count', form: 'rights', where: { kind: 'software' } }] },
  },
}
