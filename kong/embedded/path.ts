/**
 * The one form of a path that is routed and sent upstream, so that `//`, `%2e` or `/../` never mean one thing to the
 * router and another to the service (Kong 3.9 tools/uri.lua normalize with merge_slashes, behind nginx's own checks).
 */

const ESCAPE = /%([0-9A-Fa-f]{2})/g;
const UNRESERVED = /[A-Za-z0-9._~-]/;
/** What may stand in a path unescaped (RFC 3986 §3.3) plus what Kong leaves alone. */
const PLAIN = /^[A-Za-z0-9._~!$&'()*+,;=:@/[\]-]*$/;

/**
 * @param raw the path as it came, without the query
 * @returns the normal form, or undefined when it is malformed: a bad escape, NUL, a fragment, not beginning with `/`,
 *   or stepping above the root (nginx answers 400 to each)
 */
export function normalisePath(raw: string): string | undefined {
  if (raw.charCodeAt(0) !== 47) return undefined;
  if (PLAIN.test(raw) && !raw.includes('/.') && !raw.includes('//')) return raw;
  if (raw.includes('#') || /%(?![0-9A-Fa-f]{2})|%00|\0/.test(raw)) return undefined;
  const decoded = raw.replace(ESCAPE, (whole, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : whole.toUpperCase();
  });
  const segments: string[] = [];
  const parts = decoded.split('/');
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i]!;
    const last = i === parts.length - 1;
    if (part === '..') {
      if (segments.length === 0) return undefined;
      segments.pop();
      if (last) segments.push('');
    } else if (part === '.' || part === '') {
      if (last) segments.push('');
    } else {
      segments.push(part);
    }
  }
  return escapeRest(`/${segments.join('/')}`);
}

/** Escapes what may not stand in a request line; an existing escape stays. */
function escapeRest(path: string): string {
  return path.replace(/[^A-Za-z0-9._~!$&'()*+,;=:@/[\]%-]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
