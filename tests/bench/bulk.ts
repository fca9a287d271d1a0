/**
 * `npm run bench -- bulk`: how much memory a pain.001 file of 10,000 transactions takes while it is read, and how long it takes. The file is
 * made as it is read, about 50 MB of it addresses nobody needs, so that what grows is the reader's.
 */
import { bulkOrder } from '../../services/payment/src/bulk.js';
import { readBulkMessage } from '../../services/payment/src/bulk-message.js';
import { fileParts, germanIban } from '../../services/payment/test/bulk-fixtures.js';

const TRANSACTIONS = 10_000;
const MEGABYTE = 1024 * 1024;
const CHUNK = 64 * 1024;

const address = `<PstlAdr>${Array.from({ length: 7 }, (_, line) => `<AdrLine>${`line ${line} `.padEnd(650, 'x')}</AdrLine>`).join('')}</PstlAdr>`;

let [bytes, peak] = [0, 0];
async function* file(): AsyncGenerator<Buffer> {
  let kept = '';
  const transfers = Array.from({ length: TRANSACTIONS }, (_, n) => ({ endToEndId: `E-${n}`, iban: germanIban(n), extra: address }));
  for (const part of fileParts([{ debtorIban: germanIban(1), transfers }])) {
    kept += part;
    if (kept.length < CHUNK) continue;
    peak = Math.max(peak, process.memoryUsage.rss());
    const chunk = Buffer.from(kept);
    bytes += chunk.length;
    kept = '';
    yield chunk;
  }
  yield Buffer.from(kept);
}

for (const round of ['first', 'second', 'third']) {
  global.gc?.();
  [bytes, peak] = [0, 0];
  const before = process.memoryUsage.rss();
  const started = performance.now();
  const { batches } = await readBulkMessage(file(), { today: '2000-01-01', latest: '2100-01-01' });
  const order = bulkOrder(batches, 'EUR', () => '');
  const seconds = (performance.now() - started) / 1000;
  console.log(`bulk, ${round} file: ${order.transactions} transactions, ${(bytes / MEGABYTE).toFixed(1)} MB read in ${seconds.toFixed(2)} s; resident memory grew by ${((peak - before) / MEGABYTE).toFixed(1)} MB at most`);
}
