import { distance } from 'fastest-levenshtein';
import { joined, wordsOf, type NameWord } from './name-spelling.js';
import type { ListedName } from './sanctions-list.js';

/** A list entry whose name is like the one looked for; `score` 0..1, 1 is equal. */
export interface ScreeningMatch {
  readonly list: string;
  readonly entryId: string;
  readonly score: number;
}

/** Outcome of one screening; `matches` best first, one an entry, empty when clear. */
export interface ScreeningResult {
  readonly screening: 'clear' | 'potential-match';
  readonly matches: readonly ScreeningMatch[];
}

/** Answers whether a name is like one on the lists. Built once: it indexes all names. */
export interface Screening {
  readonly names: number;
  screen(name: string): ScreeningResult;
}

/**
 * Names are like one another from this score on. Chosen on labelled names against the OFAC list: see README.md for the
 * precision and recall at this and the neighbouring values.
 */
export const THRESHOLD = 0.81;
/** Two words are the same word, spelled differently, from this likeness on. */
const SAME_WORD = 0.72;
/** A word that says little about who is meant: legal forms, articles, patronymic particles, titles. */
const FAINT = new Set(
  ('the of and for de del la las los el al ad an as ul der von van bin ibn bint abd dr mr mrs ms sheikh shaykh mullah haji hajji qari '
    + 'general gen co corp ltd llc llp inc plc gmbh ag kg sa srl spa sas cv bv nv ooo oao zao pao ao jsc ojsc pjsc fze fzco fzc lp branch')
    .split(' '),
);
const FAINT_WEIGHT = 0.35;
/** What singles somebody out, in words that stand on the lists once: one and a half; and over which range that fades. */
const TELLS_ENOUGH = 1.5;
const TELLS_RANGE = 0.4;
const MAX_MATCHES = 10;

interface Entry {
  readonly list: string;
  readonly entryId: string;
  readonly words: readonly Word[];
}

interface Word extends NameWord {
  readonly id: number;
  /** How much it tells: the rarer on the lists, the more (inverse document frequency). */
  weight: number;
}

/**
 * Indexes the names of the lists.
 *
 * Words, not letters, carry a name: order, missing middle names and legal forms vary, so names are compared as bags of
 * words weighted by rarity. A word finds its spellings through its consonants with at most one of them missing on either
 * side (a deletion neighbourhood, as SymSpell does), so that a screening touches a few hundred of the words.
 */
export function buildScreening(listed: readonly ListedName[], threshold: number = THRESHOLD): Screening {
  const vocabulary = new Map<string, Word>();
  const entries = listed.map((name) => entryOf(name, vocabulary)).filter((entry) => entry.words.length > 0);
  weigh(entries);
  const byKey = indexWords(vocabulary.values());
  const byWord = indexEntries(entries, vocabulary.size);
  const byJoined = indexJoined(entries);
  const unseen = Math.log(1 + entries.length);

  const similarWords = (word: NameWord): Map<Word, number> => {
    const found = new Map<Word, number>();
    for (const key of neighbourhood(word.skeleton)) {
      for (const candidate of byKey.get(key) ?? []) {
        if (found.has(candidate)) continue;
        const likeness = wordLikeness(word, candidate);
        if (likeness >= SAME_WORD) found.set(candidate, likeness);
      }
    }
    return found;
  };

  const bestOf = (query: readonly NameWord[], scores: Map<Entry, number>): void => {
    const similar = query.map(similarWords);
    const weights = query.map((word, i) => weightOf(word, similar[i]!, unseen));
    const candidates = new Set<Entry>();
    // The rarest half of the weight must be found, so only those words propose candidates.
    for (const i of tellingWords(weights)) {
      for (const word of similar[i]!.keys()) for (const entry of byWord[word.id]!) candidates.add(entry);
    }
    for (const entry of candidates) {
      const score = likenessOf(entry, similar, weights, unseen);
      if (score >= threshold && score > (scores.get(entry) ?? 0)) scores.set(entry, score);
    }
  };

  return {
    names: entries.length,
    screen(name) {
      const query = wordsOf(name);
      const scores = new Map<Entry, number>();
      if (query.length > 0) {
        for (const entry of byJoined.get(joined(query).sound) ?? []) scores.set(entry, 0.95);
        for (const variant of variantsOf(query)) bestOf(variant, scores);
      }
      const matches = ranked(scores);
      return { screening: matches.length === 0 ? 'clear' : 'potential-match', matches };
    },
  };
}

function entryOf(name: ListedName, vocabulary: Map<string, Word>): Entry {
  const words = wordsOf(name.name).map((word) => {
    const known = vocabulary.get(word.text) ?? { ...word, id: vocabulary.size, weight: 0 };
    vocabulary.set(word.text, known);
    return known;
  });
  return { list: name.list, entryId: name.entryId, words };
}

function weigh(entries: readonly Entry[]): void {
  const frequency = new Map<Word, number>();
  for (const entry of entries) for (const word of new Set(entry.words)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  for (const [word, count] of frequency) word.weight = faintened(word.text, Math.log(1 + entries.length / count));
}

function faintened(text: string, weight: number): number {
  return FAINT.has(text) || text.length === 1 ? FAINT_WEIGHT : weight;
}

/** The consonants and every form with one of them left out. */
function neighbourhood(skeleton: string): Set<string> {
  const keys = new Set([skeleton]);
  if (skeleton.length > 2) for (let i = 0; i < skeleton.length; i++) keys.add(skeleton.slice(0, i) + skeleton.slice(i + 1));
  return keys;
}

function indexWords(words: Iterable<Word>): Map<string, Word[]> {
  const index = new Map<string, Word[]>();
  for (const word of words) {
    for (const key of neighbourhood(word.skeleton)) {
      const bucket = index.get(key);
      if (bucket === undefined) index.set(key, [word]);
      else bucket.push(word);
    }
  }
  return index;
}

function indexEntries(entries: readonly Entry[], words: number): Entry[][] {
  const index: Entry[][] = Array.from({ length: words }, () => []);
  for (const entry of entries) for (const word of new Set(entry.words)) index[word.id]!.push(entry);
  return index;
}

function indexJoined(entries: readonly Entry[]): Map<string, Entry[]> {
  const index = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = joined(entry.words).sound;
    if (key.length >= 6) index.set(key, [...(index.get(key) ?? []), entry]);
  }
  return index;
}

/** The name as written, and with each two neighbouring words as one. */
function variantsOf(query: readonly NameWord[]): (readonly NameWord[])[] {
  const variants: (readonly NameWord[])[] = [query];
  for (let i = 0; i + 1 < query.length && query.length > 2; i++) {
    variants.push([...query.slice(0, i), joined(query.slice(i, i + 2)), ...query.slice(i + 2)]);
  }
  return variants;
}

/** Likeness of two words, 0..1: by sound, or by consonants alone when one side has no vowels. */
function wordLikeness(a: NameWord, b: NameWord): number {
  if (a.text === b.text) return 1;
  if (a.sound === '' || b.sound === '') return a.skeleton === b.skeleton ? (a.skeleton.length > 1 ? 0.92 : 0.8) : 0;
  if (a.sound === b.sound) return 0.97;
  const longest = Math.max(a.sound.length, b.sound.length);
  if (longest < 4) return 0;
  return 1 - distance(a.sound, b.sound) / longest;
}

function weightOf(word: NameWord, similar: ReadonlyMap<Word, number>, unseen: number): number {
  let weight = unseen;
  for (const [candidate, likeness] of similar) if (likeness >= 0.97 && candidate.weight < weight) weight = candidate.weight;
  return faintened(word.text, weight);
}

/** Positions of the query's words, rarest first, until they hold half of its weight. */
function tellingWords(weights: readonly number[]): number[] {
  const order = weights.map((_, i) => i).sort((a, b) => weights[b]! - weights[a]!);
  const half = weights.reduce((sum, weight) => sum + weight, 0) * 0.6;
  const telling: number[] = [];
  let held = 0;
  for (const i of order) {
    if (held > half) break;
    telling.push(i);
    held += weights[i]!;
  }
  return telling;
}

/**
 * Each word of the query takes the most alike word of the entry that is still free. What of the query is found counts
 * fully; what of the entry is missing counts for less (a dropped middle name is common, an added one is not); and a
 * name found through common words alone is not enough.
 */
function likenessOf(entry: Entry, similar: readonly ReadonlyMap<Word, number>[], weights: readonly number[], unique: number): number {
  const pairs: { i: number; j: number; likeness: number }[] = [];
  similar.forEach((words, i) => entry.words.forEach((word, j) => {
    const likeness = words.get(word);
    if (likeness !== undefined) pairs.push({ i, j, likeness });
  }));
  pairs.sort((a, b) => b.likeness - a.likeness);
  const usedQuery = new Set<number>();
  const usedEntry = new Set<number>();
  let foundQuery = 0;
  let foundEntry = 0;
  for (const { i, j, likeness } of pairs) {
    if (usedQuery.has(i) || usedEntry.has(j)) continue;
    usedQuery.add(i);
    usedEntry.add(j);
    foundQuery += weights[i]! * likeness;
    foundEntry += entry.words[j]!.weight * likeness;
  }
  const queryPart = foundQuery / weights.reduce((sum, weight) => sum + weight, 0);
  const entryPart = foundEntry / entry.words.reduce((sum, word) => sum + word.weight, 0);
  return Math.min(1, queryPart * (1 - penaltyOf(foundQuery / unique) * (1 - entryPart)));
}

/**
 * How much the missing words of an entry count. A rare family name finds its entry without the middle names; "Carlos
 * Garcia" must not find everybody who has those two names among five.
 */
function penaltyOf(told: number): number {
  const common = Math.min(1, Math.max(0, (TELLS_ENOUGH - told) / TELLS_RANGE));
  return 0.26 + 0.3 * common;
}

function ranked(scores: ReadonlyMap<Entry, number>): ScreeningMatch[] {
  const best = new Map<string, ScreeningMatch>();
  for (const [{ list, entryId }, raw] of scores) {
    const score = Math.round(raw * 1000) / 1000;
    const key = `${list}/${entryId}`;
    if (score > (best.get(key)?.score ?? 0)) best.set(key, { list, entryId, score });
  }
  return [...best.values()].sort((a, b) => b.score - a.score || a.entryId.localeCompare(b.entryId)).slice(0, MAX_MATCHES);
}
