import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newEvent, type Event } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { sign, SIGNATURE_HEADER } from '../src/signature.js';

export const SECRET = 'a secret only for tests 0123456789';
export const BIC = 'KONTDEFFXXX';
export const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
export const CREDITOR = { name: 'Fictional Books Ltd', iban: 'DE89370400440532013000' };
export const DEBTOR = { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' };

/** A payment ready for the rail. */
export function submitted(named: { paymentId?: string; amount?: string; remittance?: string; debtorName?: string } = {}): Event<'payment.submitted'> {
  const paymentId = named.paymentId ?? newId();
  return newEvent('payment.submitted', {
    subject: paymentId, source: 'payment', context: CONTEXT,
    data: {
      paymentId, clientId: 'fintech-a', customerId: newId(), consentId: newId(), debtorAccountId: newId(), amount: { amount: named.amount ?? '12.50', currency: 'EUR' },
      creditor: CREDITOR, debtor: { ...DEBTOR, name: named.debtorName ?? DEBTOR.name }, endToEndId: 'INV-4711', uetr: '7a562c67-ca16-48ba-b074-65581be6f011',
      ...(named.remittance === undefined ? {} : { remittance: named.remittance }),
    },
  });
}

/** Delivers a message to the adapter, as the rail would. */
export async function deliverXml(url: string, xml: string | Uint8Array, options: { secret?: string; at?: number; type?: string; signature?: string } = {}): Promise<{ status: number; body: string; type: string }> {
  const signature = options.signature ?? sign(xml, options.secret ?? SECRET, options.at ?? Math.floor(Date.now() / 1000));
  const response = await fetch(new URL('/inbound', url), {
    method: 'POST', body: typeof xml === 'string' ? xml : new Uint8Array(xml), headers: { 'content-type': options.type ?? 'application/xml', [SIGNATURE_HEADER]: signature },
  });
  return { status: response.status, body: await response.text(), type: response.headers.get('content-type') ?? '' };
}

/** A folder that is gone after the test. */
export function temporaryFolder(): { path: (name: string) => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'payment-rail-'));
  return { path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
