/** The person's language: which one, its words, and its way of writing dates, amounts and waiting times. */
import type { Request } from 'express';
import { de } from './pages-words-de.js';
import { en, type Words } from './pages-words-en.js';

export type { Words } from './pages-words-en.js';
export type Language = 'en' | 'de';

const WORDS: Record<Language, Words> = { en, de };
/** Intl needs a region: British spelling and dates in English, as in the rest of the house. */
const LOCALE: Record<Language, string> = { en: 'en-GB', de: 'de-DE' };
export const LANGUAGES: readonly Language[] = ['en', 'de'];

export interface Tongue {
  language: Language;
  other: Language;
  words: Words;
  date(at: Date): string;
  dateTime(at: Date): string;
  /** @param amount decimal text as on the wire */
  money(wire: { amount: string; currency: string }): string;
  waiting(seconds: number): string;
  list(parts: string[]): string;
}

/** @param timeZone of the bank, IANA */
export function tongue(language: Language, timeZone: string): Tongue {
  const words = WORDS[language];
  const locale = LOCALE[language];
  return {
    language, words,
    other: language === 'en' ? 'de' : 'en',
    date: (at) => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone }).format(at),
    dateTime: (at) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(at),
    // Intl takes decimal text as it is: no amount passes through a float.
    money: ({ amount, currency }) => new Intl.NumberFormat(locale, { style: 'currency', currency }).format(amount as `${number}`),
    waiting: (seconds) => (seconds < 90 ? words.time.seconds(seconds) : words.time.minutes(Math.ceil(seconds / 60))),
    list: (parts) => new Intl.ListFormat(locale, { type: 'conjunction' }).format(parts),
  };
}

const isLanguage = (text: unknown): text is Language => LANGUAGES.includes(text as Language);

/** The first of the languages listed (`de-AT,de;q=0.9,en;q=0.5` or `de en`) that the pages speak. */
function firstSpoken(list: string, separator: RegExp): Language | undefined {
  const wanted = list.split(separator).map((part) => {
    const [tag = '', ...rest] = part.trim().split(';');
    const weight = Number(/^\s*q=([0-9.]+)/.exec(rest.join(';'))?.[1] ?? 1);
    return { language: tag.trim().toLowerCase().split('-')[0], weight: Number.isFinite(weight) ? weight : 0 };
  });
  return wanted.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight).map(({ language }) => language).find(isLanguage);
}

/** In order: what the person chose here, `ui_locales` of the authorisation request (OpenID Connect Core §3.1.2.1), the browser's languages, English. */
export function languageOf(request: Request, chosen: string | undefined, uiLocales: string | undefined): Language {
  if (isLanguage(chosen)) return chosen;
  return firstSpoken((uiLocales ?? '').slice(0, 200), / +/) ?? firstSpoken((request.get('accept-language') ?? '').slice(0, 500), /,/) ?? 'en';
}
