/** One made-up enterprise: every attribute of Table 2 (paper, section 5) with consistent, Chinese-plausible values. */
import { bankAccount, creditCode, organisationsMax, residentId } from './identifiers.js'
import { createRandom, type Random } from './random.js'
import {
  BANKS,
  BUILDINGS,
  CITIES,
  COMPANY_FORMS,
  GIVEN_NAME_CHARACTERS,
  INDUSTRIES,
  ROADS,
  SURNAMES,
  TRADE_NAME_CHARACTERS,
} from './vocabulary.js'

/** Attribute values by name; canonical forms (ISO dates, decimals of two places, plain digits). */
export type CompanyValues = Readonly<Record<CompanyAttribute, string>>

export type CompanyAttribute =
  | 'companyName'
  | 'unifiedSocialCreditCode'
  | 'registeredCapital'
  | 'paidUpCapital'
  | 'registrationDate'
  | 'registrationAddress'
  | 'employees'
  | 'socialSecurityEmployees'
  | 'openingBank'
  | 'bankAccount'
  | 'legalRepresentative'
  | 'legalRepresentativeId'
  | 'intellectualPropertyRights'
  | 'inventionPatents'
  | 'utilityModelPatents'
  | 'designPatents'
  | 'softwareCopyrights'

const TRADE_NAMES = TRADE_NAME_CHARACTERS.length ** 2
const NAMES = TRADE_NAMES * CITIES.length * INDUSTRIES.length

/** Enterprises that can be told apart by name. */
export const companiesMax = Math.min(NAMES, organisationsMax)

/** Steps of the two index permutations: primes, hence coprime to both moduli, so x -> x * step is one to one. */
const NAME_STEP = 7_368_787
const ORGANISATION_STEP = 15_485_863

/** (index * step + shift) mod size; exact because all factors stay below 2^26. */
function permute(index: number, step: number, shift: number, size: number): number {
  return (((index * (step % size)) % size) + (shift % size)) % size
}

/** Values of enterprise `index` (0 .. companiesMax - 1) of the population `seed`. Names and codes are unique in a population. */
export function companyValues(seed: string, index: number): CompanyValues {
  if (!(index >= 0 && index < companiesMax))
    throw new RangeError(`a population holds at most ${companiesMax} enterprises`)
  const shared = createRandom(`${seed}/population`)
  const random = createRandom(`${seed}/company/${index}`)
  const nameNumber = permute(index, NAME_STEP, shared.below(NAMES), NAMES)
  const organisation = permute(index, ORGANISATION_STEP, shared.below(organisationsMax), organisationsMax)
  const city = CITIES[Math.floor(nameNumber / TRADE_NAMES) % CITIES.length]!
  const [division, district] = random.pick(city.districts)
  return {
    companyName: companyName(nameNumber, city.name, random),
    unifiedSocialCreditCode: creditCode(division, organisation),
    ...capital(random),
    registrationDate: date(random, 1995, 2023),
    registrationAddress: address(city.name, district, random),
    ...staff(random),
    ...bank(city.name, district, random),
    ...representative(random),
    ...intellectualProperty(random),
  }
}

function companyName(number: number, city: string, random: Random): string {
  const size = TRADE_NAME_CHARACTERS.length
  const trade = `${TRADE_NAME_CHARACTERS[number % size]}${TRADE_NAME_CHARACTERS[Math.floor(number / size) % size]}`
  const industry = INDUSTRIES[Math.floor(number / TRADE_NAMES / CITIES.length) % INDUSTRIES.length]!
  return `${city}${trade}${industry}${random.pick(COMPANY_FORMS)}`
}

/** Yuan with two decimals; what is paid up never exceeds what is registered. */
function capital(random: Random): Pick<CompanyValues, 'registeredCapital' | 'paidUpCapital'> {
  const registered = random.pick([10, 30, 50, 100, 200, 300, 500, 800, 1000, 2000, 3000, 5000, 10000]) * 10_000
  const paid = Math.floor((registered * random.pick([0, 20, 30, 50, 60, 80, 100, 100, 100])) / 100)
  return { registeredCapital: `${registered}.00`, paidUpCapital: `${paid}.00` }
}

function date(random: Random, yearFrom: number, yearTo: number): string {
  const year = yearFrom + random.below(yearTo - yearFrom + 1)
  return `${year}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`
}

const two = (n: number): string => String(n).padStart(2, '0')

function address(city: string, district: string, random: Random): string {
  const house = `${city}市${district}${random.pick(ROADS)}${1 + random.below(999)}号`
  return `${house}${random.pick(BUILDINGS)}${1 + random.below(30)}层${two(1 + random.below(20))}室`
}

function staff(random: Random): Pick<CompanyValues, 'employees' | 'socialSecurityEmployees'> {
  const employees = 1 + Math.floor(random.unit() ** 3 * 1200)
  const insured = Math.max(1, Math.floor((employees * (60 + random.below(41))) / 100))
  return { employees: String(employees), socialSecurityEmployees: String(insured) }
}

function bank(city: string, district: string, random: Random): Pick<CompanyValues, 'openingBank' | 'bankAccount'> {
  const [name, prefix] = random.pick(BANKS)
  const branch = `${district.replace(/新?区$/, '')}${random.pick(['支行', '第一支行', '营业部'])}`
  return { openingBank: `${name}${city}${branch}`, bankAccount: bankAccount(prefix, random) }
}

function representative(random: Random): Pick<CompanyValues, 'legalRepresentative' | 'legalRepresentativeId'> {
  const given = random.pick(GIVEN_NAME_CHARACTERS) + (random.below(3) > 0 ? random.pick(GIVEN_NAME_CHARACTERS) : '')
  const [division] = random.pick(random.pick(CITIES).districts)
  const birthDate = date(random, 1955, 1998).replaceAll('-', '')
  return {
    legalRepresentative: random.pick(SURNAMES) + given,
    legalRepresentativeId: residentId(division, birthDate, 1 + random.below(999)),
  }
}

/** Four kinds of rights and their sum. */
function intellectualProperty(random: Random) {
  const count = (most: number): number => Math.floor(random.unit() ** 3 * most)
  const kinds = [count(40), count(90), count(30), count(60)] as const
  return {
    intellectualPropertyRights: String(kinds.reduce((sum, n) => sum + n, 0)),
    inventionPatents: String(kinds[0]),
    utilityModelPatents: String(kinds[1]),
    designPatents: String(kinds[2]),
    softwareCopyrights: String(kinds[3]),
  }
}
