/** Rules of beneficiaries: whom a customer has saved as a payee of an account. */

export interface Beneficiary {
  beneficiaryId: string;
  accountId: string;
  name: string;
  /** Without blanks, check digits proven. */
  iban: string;
  reference: string | null;
  version: number;
}

/** What may be said of a beneficiary. */
export interface BeneficiaryWish { name: string; iban: string; reference?: string | undefined }

export const beneficiaryEtag = ({ version }: Pick<Beneficiary, 'version'>): string => `"${version}"`;

export function toBeneficiary({ beneficiaryId, accountId, name, iban, reference }: Beneficiary) {
  return { beneficiaryId, accountId, name, iban, ...(reference === null ? {} : { reference }) };
}
