import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { derivedFiles, staleFiles } from '../../scripts/generate.js';
import { readContracts, ROOT, type Contract, type ContractDocument } from '../../scripts/generate/contracts.js';
import { bianFaults, houseFaults } from './house-rules.js';

const run = promisify(execFile);
/** BIAN's definitions are not ours to copy: the table is looked for beside the repository. */
const BIAN_TABLE = fileURLToPath(new URL('../shared/bian/operations.tsv', ROOT));

interface Finding { severity: string; message: string; ruleId: string; location: { source: { ref: string }; pointer?: string }[] }

async function redoclyErrors(files: string[]): Promise<string[]> {
  const cli = fileURLToPath(new URL('node_modules/@redocly/cli/bin/cli.js', ROOT));
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const answered = await run(process.execPath, [cli, 'lint', '--config', 'redocly.yaml', '--format', 'json', ...files], {
    cwd: fileURLToPath(ROOT), env, maxBuffer: 1 << 26,
  }).catch((fault: unknown) => fault as { stdout: string; stderr: string });
  if (!answered.stdout.trim()) throw new Error(`redocly gave no result: ${answered.stderr}`);
  // One document a file, one after the other.
  const documents = JSON.parse(`[${answered.stdout.replaceAll(/\}\s*\{\s*"totals"/g, '},{"totals"')}]`) as { problems: Finding[] }[];
  expect(documents).to.have.length(files.length);
  return documents.flatMap(({ problems }) => problems).filter((one) => one.severity === 'error').map((one) => `${one.location[0]?.source.ref} ${one.location[0]?.pointer}: ${one.message} (${one.ruleId})`);
}

describe('contracts', function () {
  this.timeout(60_000);
  let contracts: Contract[];
  before(async () => { contracts = await readContracts(); });

  it('are valid OpenAPI with valid examples (redocly.yaml)', async () => {
    expect(contracts).to.not.be.empty;
    expect(await redoclyErrors(contracts.map(({ folder }) => `${folder}/openapi.yaml`))).to.deep.equal([]);
  });

  it('keep the rules of the house', () => {
    expect(houseFaults(contracts)).to.deep.equal([]);
  });

  it('name operations BIAN 14 has', function () {
    if (!existsSync(BIAN_TABLE)) {
      console.log('      skipped: BIAN\'s operations are not beside the repository (../shared/bian/operations.tsv)');
      this.skip();
    }
    expect(bianFaults(contracts, readFileSync(BIAN_TABLE, 'utf8'))).to.deep.equal([]);
  });

  it('have every derived file as `npm run generate` writes it', async () => {
    expect(await staleFiles(await derivedFiles())).to.deep.equal([]);
  });
});

describe('the contract rules catch', () => {
  let sound: Contract;
  before(() => {
    sound = { audience: 'sample', folder: 'services/sample', document: parse(SAMPLE) as ContractDocument };
  });

  it('nothing in a sound contract', () => {
    expect(houseFaults([sound])).to.deep.equal([]);
    expect(bianFaults([sound], TABLE)).to.deep.equal([]);
  });

  const crimes: [title: string, from: string, to: string, caught: RegExp][] = [
    ['an operation without a name', 'operationId: makeThing', 'operationId: make_thing', /camelCase/],
    ['an operation without x-bian', 'x-bian:', 'x-was-bian:', /x-bian is missing/],
    ['an action term that is none of BIAN\'s', 'actionTerm: Initiate', 'actionTerm: Start', /none of BIAN's 15/],
    ['an operation anybody may call', 'x-access:', 'x-was-access:', /x-access is missing/],
    ['an unknown scope', 'scopes: [payments]', 'scopes: [everything]', /unknown scope/],
    ['an operation without a role', 'roles: [pisp]', 'roles: []', /names no role/],
    ['a consent account that does not exist', 'account: body.debtor', 'account: body.creditor', /no field of the request body/],
    ['a consent account that is no path parameter', 'account: body.debtor', 'account: debtor', /no path parameter/],
    ['a request body open to other fields', 'additionalProperties: false', 'additionalProperties: true', /without additionalProperties: false/],
    ['a creating POST that cannot be repeated', 'name: Idempotency-Key', 'name: X-Key', /needs the header parameter Idempotency-Key/],
    ['an optional idempotency key', 'required: true # key', 'required: false', /must be required/],
    ['refusals that are no problems', 'application/problem+json', 'application/json', /default response is not/],
    ['a body without an example', 'example: { debtor: a }', 'x-was: {}', /no example/],
    ['an old OpenAPI', 'openapi: 3.0.3', 'openapi: 3.1.0', /not 3.0.3/],
  ];
  for (const [title, from, to, caught] of crimes) {
    it(title, () => {
      expect(SAMPLE).to.include(from);
      const guilty = { ...sound, document: parse(SAMPLE.replace(from, to)) as ContractDocument };
      expect(houseFaults([guilty]).join('\n')).to.match(caught);
    });
  }

  it('one name for two operations', () => {
    expect(houseFaults([sound, { ...sound, folder: 'services/other' }]).join('\n')).to.match(/operationId makeThing belongs to/);
  });

  it('an exact mapping BIAN does not have', () => {
    const guilty = { ...sound, document: parse(SAMPLE.replace('actionTerm: Initiate', 'actionTerm: Register')) as ContractDocument };
    expect(bianFaults([guilty], TABLE).join('\n')).to.match(/BIAN 14 has no PaymentOrderInitiation POST/);
  });

  it('an example that is not valid, in redocly', async function () {
    this.timeout(30_000);
    const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
    const folder = await mkdtemp(fileURLToPath(new URL('.contract-crime-', ROOT)));
    try {
      const file = `${folder}/openapi.yaml`;
      await writeFile(file, stringify(parse(SAMPLE.replace('{ debtor: a }', '{ debtor: 1 }'))));
      expect((await redoclyErrors([file])).join('\n')).to.match(/no-invalid-media-type-examples/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

const TABLE = [
  'service_domain\tmethod\tpath\taction_term\tbehaviour_qualifier\toperation_id',
  'PaymentOrderInitiation\tPOST\t/PaymentOrderInitiation/Initiate\tInitiate\t\tInitiate',
].join('\n');

const SAMPLE = `
openapi: 3.0.3
info: { title: Sample, version: 1.0.0, license: { name: Apache-2.0, url: 'https://www.apache.org/licenses/LICENSE-2.0' } }
servers: [{ url: / }]
tags: [{ name: Things }]
security: [{ oauth2: [payments] }]
paths:
  /v1/things:
    post:
      operationId: makeThing
      summary: Make a thing
      tags: [Things]
      x-bian: { serviceDomain: PaymentOrderInitiation, controlRecord: Thing, actionTerm: Initiate, mapping: exact }
      x-consent: { permission: 'payments:initiate', account: body.debtor }
      x-access: { scopes: [payments], roles: [pisp] }
      parameters:
        - name: Idempotency-Key
          in: header
          required: true # key
          schema: { type: string, minLength: 1, maxLength: 40 }
      requestBody:
        content:
          application/json:
            schema: { type: object, additionalProperties: false, properties: { debtor: { type: string } } }
            example: { debtor: a }
      responses:
        '201': { description: Made }
        default:
          description: A problem
          content:
            application/problem+json:
              schema: { $ref: '#/components/schemas/Problem' }
              example: { type: 'urn:kontor:problem:internal', title: t, status: 500, code: internal, correlationId: c }
components:
  securitySchemes:
    oauth2: { type: oauth2, flows: { clientCredentials: { tokenUrl: /oauth2/token, scopes: { payments: p } } } }
  schemas:
    Problem:
      type: object
      properties:
        type: { type: string }
        title: { type: string }
        status: { type: integer }
        code: { type: string }
        correlationId: { type: string }
`;
