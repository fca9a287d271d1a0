import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether `sent` is the key two of our processes share. Digests are compared, so that neither length nor content shows in the
 * time it takes; a header that is absent or came several times is no key.
 */
export function sameKey(sent: string | string[] | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return typeof sent === 'string' && timingSafeEqual(digest(sent), digest(expected));
}
