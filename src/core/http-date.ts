// Reads the dates that HTTP and JSON interfaces write, to milliseconds since 1970, without the Date global:
// core has no clock, and Date.parse accepts far more than the standards (it takes "5" for May 2001).

const DAY_MS = 86_400_000;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** RFC 9110 section 5.6.7. `UTC` for `GMT` is what Go's time.RFC1123 prints. */
const IMF_FIXDATE = /^[a-z]{3}, (\d\d) ([a-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC)$/i;
const RFC_850 = /^[a-z]{6,9}, (\d\d)-([a-z]{3})-(\d\d) (\d\d):(\d\d):(\d\d) (?:GMT|UTC)$/i;
const ASCTIME = /^[a-z]{3} ([a-z]{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/i;
/** RFC 3339 section 5.6; the space instead of T is its own note. */
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/i;

/** A date in one of HTTP's three forms; `wallMs` decides the century of RFC 850's two-digit years. */
export function readHttpDate(text: string, wallMs: number): number | undefined {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) return instant([fixed[3], monthOf(fixed[2]), fixed[1], fixed[4], fixed[5], fixed[6]]);
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) {
    const [, month, day, hour, minute, second, year] = asctime;
    return instant([year, monthOf(month), day, hour, minute, second]);
  }
  const old = RFC_850.exec(text);
  if (old === null) return undefined;
  const [, day, month, shortYear, hour, minute, second] = old;
  const thisYear = yearOf(wallMs);
  let year = thisYear - (thisYear % 100) + Number(shortYear);
  // RFC 9110 section 5.6.7: more than 50 years ahead means the last such year in the past.
  if (year > thisYear + 50) year -= 100;
  return instant([year, monthOf(month), day, hour, minute, second]);
}

/** A date as Anthropic's reset headers write it: `2026-04-21T14:38:25Z`. */
export function readRfc3339(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHours, zoneMinutes] = match;
  const local = instant([year, month, day, hour, minute, second]);
  if (local === undefined || Number(zoneHours ?? 0) > 23 || Number(zoneMinutes ?? 0) > 59) return undefined;
  const zoneMs = (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0)) * 60_000;
  return local + Math.trunc(Number(fraction ?? 0) * 1000) - (sign === "-" ? -zoneMs : zoneMs);
}

type Part = string | number | undefined;

/** Year, month from 1, day, hour, minute, second; undefined when one is out of range. Second 60 is a leap second. */
function instant(parts: readonly [Part, Part, Part, Part, Part, Part]): number | undefined {
  const [year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN] = parts.map(Number);
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return undefined;
  return daysFromCivil(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
}

const monthOf = (name: string | undefined): number => MONTHS.indexOf((name ?? "").toLowerCase()) + 1;

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since 1970-01-01: Howard Hinnant's days_from_civil, for years from 0 on. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Year of an instant, by stepping from the estimate; off by at most one before. */
function yearOf(wallMs: number): number {
  const days = Math.floor(wallMs / DAY_MS);
  const estimate = 1970 + Math.floor(days / 365.2425);
  if (daysFromCivil(estimate, 1, 1) > days) return estimate - 1;
  return daysFromCivil(estimate + 1, 1, 1) <= days ? estimate + 1 : estimate;
}
