import { mkdtempSync, readFileSync, rmSync, appendFileSync } from 'node:fs';
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isValidIBAN } from 'ibantools';
import { newId } from '@kontor/kernel/ids';
import { Transient } from '@kontor/kernel/messaging';
import { startLegacyCore } from '../simulator/legacy-core.js';
import { CoreRefusal, type AccountOrder, type Core } from '../src/core-banking.js';
import { coreClient } from '../src/core-client.js';

const root = new URL('..', import.meta.url);
const wsdl = new URL('core.wsdl', root);
const order = (change: Partial<AccountOrder> = {}): AccountOrder => ({ requestId: newId(), customerReference: newId(), product: 'current', currency: 'EUR', ...change });
const client = (endpoint: string, timeoutMs = 2000): Promise<Core> => coreClient({ endpoint, wsdl, timeoutMs });

async function failure(attempt: Promise<unknown>): Promise<Error> {
  return attempt.then(() => { throw new Error('it went well'); }, (error: Error) => error);
}

describe('the core client against the simulated core', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kontor-core-'));
  const stateFile = join(directory, 'books.jsonl');
  let simulated: Awaited<ReturnType<typeof startLegacyCore>>;
  let core: Core;
  const start = async () => {
    simulated = await startLegacyCore({ host: '127.0.0.1', port: 0, stateFile, seed: 'test', wsdl, stallMs: 1500 });
    core = await client(simulated.url);
  };
  before(start);
  after(async () => {
    await simulated.stop();
    rmSync(directory, { recursive: true });
  });

  it('opens an account with a valid German IBAN of a bank that does not exist', async () => {
    const booked = await core.openAccount(order(), 'test');
    expect(isValidIBAN(booked.iban)).to.equal(true);
    expect(booked.iban.slice(0, 2) + booked.iban.slice(4, 12)).to.equal('DE99700001');
  });
  it('answers a repeated request with the same account, also after a restart with a half-written line', async () => {
    const wanted = order({ product: 'savings' });
    const first = await core.openAccount(wanted, 'test');
    expect(await core.openAccount(wanted, 'test')).to.deep.equal(first);
    await simulated.stop();
    appendFileSync(stateFile, '{"requestId":"cut sh');
    await start();
    expect(await core.openAccount(wanted, 'test')).to.deep.equal(first);
    expect(readFileSync(stateFile, 'utf8')).to.not.contain('cut sh');
    expect((await core.openAccount(order(), 'test')).iban).to.not.equal(first.iban);
  });
  it('makes a permanent refusal of the core a refusal with its reason', async () => {
    const error = await failure(core.openAccount(order({ currency: 'HUF' }), 'test'));
    expect(error).to.be.instanceOf(CoreRefusal).with.property('reason', 'currency-not-supported');
  });
  it('makes a passing fault Transient, and the third attempt succeeds', async () => {
    const wanted = order({ currency: 'CZK' });
    for (const attempt of [1, 2]) expect(await failure(core.openAccount(wanted, 'test')), `attempt ${attempt}`).to.be.instanceOf(Transient);
    expect(isValidIBAN((await core.openAccount(wanted, 'test')).iban)).to.equal(true);
  });
  it('gets the account that was booked although the first answer was lost', async () => {
    const wanted = order({ currency: 'PLN' });
    const hasty = await client(simulated.url, 300);
    expect(await failure(hasty.openAccount(wanted, 'test'))).to.be.instanceOf(Transient);
    const lines = readFileSync(stateFile, 'utf8').split('\n').filter((line) => line.includes(wanted.requestId));
    expect(lines).to.have.length(1);
    expect((await core.openAccount(wanted, 'test')).iban).to.equal((JSON.parse(lines[0]!) as { iban: string }).iban);
  });
  it('makes any other fault of the core an error that counts, so that a person looks', async () => {
    const error = await failure(core.openAccount(order({ currency: 'NOK' }), 'test'));
    expect(error).to.not.be.instanceOf(Transient).and.not.instanceOf(CoreRefusal);
    expect(error.message).to.equal('the core failed: Server INTERNAL_ERROR');
  });
  it('escapes what it sends', async () => {
    expect(isValidIBAN((await core.openAccount(order({ customerReference: '<&"]]>' }), 'test')).iban)).to.equal(true);
    expect(readFileSync(stateFile, 'utf8')).to.contain('<&\\"]]>');
  });
});

describe('the core client against a core that misbehaves', () => {
  let server: Server | undefined;
  const against = async (listener: RequestListener, timeoutMs = 500): Promise<Core> => {
    server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((ready) => server?.once('listening', ready));
    return client(`http://127.0.0.1:${(server.address() as AddressInfo).port}/soap`, timeoutMs);
  };
  const answering = (status: number, type: string, body: string): RequestListener => (_request, response) => { response.writeHead(status, { 'content-type': type }).end(body); };
  const answer = (inner: string, prolog = '') =>
    `<?xml version="1.0"?>${prolog}<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>${inner}</soap:Body></soap:Envelope>`;
  const booked = (requestId: string, iban: string) =>
    `<OpenAccountResponse xmlns="urn:kontor:legacy-core:1"><RequestId>${requestId}</RequestId><CoreReference>C-1</CoreReference><Iban>${iban}</Iban><OpeningBalance>0.00</OpeningBalance><Replayed>false</Replayed></OpenAccountResponse>`;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  const passing: [string, RequestListener][] = [
    ['a page of a gateway in front', answering(502, 'text/html', '<html>Bad Gateway</html>')],
    ['no answer in time', () => undefined],
    ['a broken connection', (request) => request.socket.destroy()],
    ['a redirect, which is not followed', (_request, response) => { response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(); }],
  ];
  for (const [what, listener] of passing) it(`${what} passes: Transient`, async () =>
    expect(await failure((await against(listener)).openAccount(order(), 'test'))).to.be.instanceOf(Transient));

  it('a core nobody can reach is Transient, and after five failures it is left alone', async () => {
    const gone = await client('http://127.0.0.1:1/soap', 500);
    for (let attempt = 1; attempt <= 6; attempt++) expect(await failure(gone.openAccount(order(), 'test'))).to.be.instanceOf(Transient);
    expect((await failure(gone.openAccount(order(), 'test'))).message).to.equal('the core is left alone for a moment');
  });
  const unusable: [string, string][] = [
    ['a document type with entities', answer(booked('r-1', '&lol;'), '<!DOCTYPE l [<!ENTITY lol "NL02ABNA0123456789">]>')],
    ['an external entity', answer(booked('r-1', '&file;'), '<!DOCTYPE l [<!ENTITY file SYSTEM "file:///etc/hostname">]>')],
    ['an answer to another request', answer(booked('r-2', 'NL02ABNA0123456789'))],
    ['an IBAN with wrong check digits', answer(booked('r-1', 'NL03ABNA0123456789'))],
    ['XML that does not end', '<soap:Envelope><soap:Body>'],
    ['an answer beyond all bounds', answer(`<x>${'y'.repeat(300_000)}</x>`)],
  ];
  for (const [what, xml] of unusable) it(`${what} is an error that counts`, async () => {
    const error = await failure((await against(answering(200, 'text/xml', xml))).openAccount(order({ requestId: 'r-1' }), 'test'));
    expect(error).to.not.be.instanceOf(Transient);
    expect(error.message).to.match(/^the core answered/).and.not.contain('NL0');
  });
  it('takes the answer that is right', async () => {
    const core = await against(answering(200, 'text/xml; charset=utf-8', answer(booked('r-1', 'NL02ABNA0123456789'))));
    expect(await core.openAccount(order({ requestId: 'r-1' }), 'test')).to.deep.equal({ iban: 'NL02ABNA0123456789', coreReference: 'C-1' });
  });
});

describe('the simulated core as a program', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kontor-core-'));
  let child: ChildProcess | undefined;
  const run = async (): Promise<string> => {
    child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('simulator/main.ts', root))], {
      cwd: fileURLToPath(new URL('../..', root)), stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, PORT: '0', STATE_FILE: join(directory, 'books.jsonl'), SEED: 'program' },
    });
    const line = await new Promise<string>((said) => child?.stdout?.once('data', (data: Buffer) => said(data.toString())));
    return (JSON.parse(line) as { url: string }).url;
  };
  const kill = async () => {
    const ended = new Promise((exited) => child?.once('exit', exited));
    child?.kill('SIGKILL');
    await ended;
  };
  after(async () => {
    await kill();
    rmSync(directory, { recursive: true });
  });

  it('forgets nothing it has answered when it is killed', async () => {
    const wanted = order();
    const first = await (await client(await run())).openAccount(wanted, 'test');
    await kill();
    expect(await (await client(await run())).openAccount(wanted, 'test')).to.deep.equal(first);
  });
});
