/** Which IP addresses a webhook may not reach: everything that is not a public unicast address (IANA special-purpose registries). */
import { BlockList, isIP } from 'node:net';

/** Two lists: in one, Node would also match IPv4 addresses against the IPv4-mapped IPv6 range. */
const v4 = new BlockList();
const v6 = new BlockList();

for (const [network, prefix] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) v4.addSubnet(network, prefix, 'ipv4');

// Ranges that carry an IPv4 address inside (mapped, NAT64, Teredo, 6to4) are refused whole.
for (const [network, prefix] of [
  ['::', 96], ['::ffff:0:0', 96], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['100::', 64], ['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20],
  ['5f00::', 16], ['fc00::', 7], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8],
] as const) v6.addSubnet(network, prefix, 'ipv6');

/** Whether `text` is an IP address in a private or special range. A name is none: it is checked when it is resolved. */
export function isPrivateAddress(text: string): boolean {
  const family = isIP(text);
  if (family === 4) return v4.check(text, 'ipv4');
  // A zone (fe80::1%eth0) is for link-local addresses only.
  return family === 6 && (text.includes('%') || v6.check(text, 'ipv6'));
}
