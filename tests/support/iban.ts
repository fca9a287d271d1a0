/** The IBAN of an account of the bank in tests: real check digits (ISO 13616), a bank code nobody has. `number` has up to ten digits. */
export function ownIban(number: number | bigint): string {
  const bban = `99700001${String(number).padStart(10, '0')}`;
  const check = 98n - BigInt(`${bban}131400`) % 97n;
  return `DE${String(check).padStart(2, '0')}${bban}`;
}
