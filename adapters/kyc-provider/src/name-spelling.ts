import anyAscii from 'any-ascii';

/** One word of a name, as it is compared. */
export interface NameWord {
  /** Latin letters and digits, lower case: `qadhafi`. */
  readonly text: string;
  /** The same with spellings of one sound folded: `kadafi`. */
  readonly sound: string;
  /** Its consonants only, as scripts without vowels write it: `kdf`. */
  readonly skeleton: string;
}

const ARABIC = /\p{Script=Arabic}|\p{Script=Hebrew}/u;
const HANGUL = /\p{Script=Hangul}/u;

/** Words of one meaning in names of companies: both sides are brought to the short one. */
const SHORT_FORMS: Readonly<Record<string, string>> = {
  corporation: 'corp', company: 'co', limited: 'ltd', incorporated: 'inc', brothers: 'bros', international: 'intl',
};

/**
 * The order matters: groups of letters before single ones. Built from the pairs of spellings that romanisations of
 * Arabic, Persian, Russian and Korean names produce (q/g/gh/k, dh/d, kh/k, tch/ch/tsch, w/v, y/j/i, ou/oo/u, eo/o, eu/u).
 */
const SOUNDS: readonly (readonly [RegExp, string])[] = [
  [/tsch|tch|tsh/g, 'c'], [/sch|shch/g, 's'], [/ch/g, 'c'], [/sh/g, 's'], [/zh/g, 's'], [/kh|gh|ck|qu/g, 'k'], [/ph/g, 'f'],
  [/th/g, 't'], [/dh/g, 'd'], [/ts|tz/g, 's'], [/x/g, 'ks'], [/ou|oo|eu/g, 'u'], [/eo|au/g, 'o'], [/ee|ie|ei|ey|iy|yi|ij/g, 'i'],
  [/[qg]/g, 'k'], [/[wv]/g, 'f'], [/z/g, 's'], [/[yj]/g, 'i'], [/e/g, 'i'], [/o/g, 'u'],
];

/** The words of a name in any script, in its own order; punctuation separates, an apostrophe does not. */
export function wordsOf(name: string): NameWord[] {
  const hasVowels = !ARABIC.test(name);
  return latin(name)
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => wordOf(SHORT_FORMS[word] ?? word, hasVowels));
}

/** One word made of several: `aero caribbean` is also looked for as `aerocaribbean`. */
export function joined(words: readonly NameWord[]): NameWord {
  return wordOf(words.map((word) => word.text).join(''), true);
}

function latin(name: string): string {
  const decomposed = name.normalize('NFKD').replace(/\p{Mn}/gu, '');
  // any-ascii writes Hangul syllables with a capital each; they are words of the name here.
  const romanised = HANGUL.test(name) ? anyAscii(name.normalize('NFC')).replace(/([a-z])([A-Z])/g, '$1 $2') : anyAscii(decomposed);
  return romanised.toLowerCase().replace(/['`’‘ʼ]/g, '').replace(/[^a-z0-9]+/g, ' ').trim();
}

function wordOf(text: string, hasVowels: boolean): NameWord {
  let sound = text;
  for (const [letters, letter] of SOUNDS) sound = sound.replace(letters, letter);
  sound = sound.replace(/(.)\1+/g, '$1');
  // A script without vowels writes the article as a prefix ("lsd" for al-Assad).
  const bare = hasVowels || text.length < 3 ? sound : sound.replace(/^l/, '');
  const skeleton = bare.replace(/[aiuh]/g, '');
  return { text, sound: hasVowels ? sound : '', skeleton: skeleton === '' ? sound.slice(0, 1) : skeleton };
}
