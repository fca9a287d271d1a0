/** `npm run demo`: the journey against a running platform. Exits 1 at the first thing that is not as it should be. */
import { readFile } from 'node:fs/promises';
import { journal, WrongTurn } from './demo/journal.js';
import { startReceiver } from './demo/receiver.js';
import { sanctionedPerson } from './demo/sanctions.js';
import { walk } from './demo/walk.js';

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new WrongTurn(`${name} is not set: run the journey with "npm run demo".`);
  return value.replace(/\/$/, '');
}

async function main(): Promise<void> {
  const receiver = await startReceiver();
  try {
    const secrets = JSON.parse(await readFile(setting('KONTOR_CREDENTIALS'), 'utf8')) as { compliance: { clientId: string; clientSecret: string } };
    await walk({
      journal: journal((line) => console.log(line)),
      receiver,
      place: { gatewayUrl: setting('GATEWAY_URL'), portalUrl: setting('PORTAL_URL'), pagesUrl: setting('BANK_PAGES_URL'), compliance: secrets.compliance },
      sanctioned: await sanctionedPerson(setting('SANCTIONS_FILES')),
    });
    console.log('\nThe whole journey went as it should.');
  } finally {
    await receiver.close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof WrongTurn ? `\nThe journey stops here: ${error.message}` : error);
  process.exitCode = 1;
});
