import { expect } from 'chai';
import { RULES } from './rules.js';
import { importsOf, repository, type SourceFile } from './source.js';

/** For each rule (by the beginning of its title) files that break it, and files that look alike and do not. */
const CRIMES: Record<string, { crimes: Record<string, string>; innocent: Record<string, string> }> = {
  'a workspace imports itself': {
    crimes: {
      'services/payment/src/a.ts': "import { x } from '../../account/src/account.js';",
      'services/payment/src/b.ts': "import type { x } from '@kontor/account/account';",
      'adapters/webhooks/src/c.ts': "const { x } = await import('../../../kernel/src/ids.js');",
      'kernel/src/d.ts': "export * from '../../services/payment/src/payment.js';",
      'plugins/a/core.ts': "import {\n  x,\n} from '../../kong/embedded/main.js';",
    },
    innocent: {
      'services/payment/src/a.ts': "import { x } from './payment.js';\nimport { newId } from '@kontor/kernel/ids';",
      'kong/embedded/a.ts': "import { decide } from '../../plugins/consent-check/core.js';",
      'services/payment/test/a.test.ts': "import { testService } from '@kontor/testing/service';",
    },
  },
  'only tests import': {
    crimes: { 'services/payment/src/a.ts': "import { testKeys } from '@kontor/testing/gateway-token';" },
    innocent: { 'services/payment/test/a.test.ts': "import { testKeys } from '@kontor/testing/gateway-token';" },
  },
  'the rules of a service': {
    crimes: {
      'services/payment/src/payment.ts': "import { idempotent } from '@kontor/kernel/idempotency';",
      'services/kyc/src/kyc.ts': "import { Pool } from 'pg';",
      'services/consent/src/consent.ts': "import { rows } from './repository.js';",
      'services/account/src/account.ts': "import { readFileSync } from 'node:fs';",
    },
    innocent: {
      'services/payment/src/payment.ts': "import { problem } from '@kontor/kernel/problem';\nimport type { Tx } from '@kontor/kernel/database';\nimport { statuses } from './statuses.js';",
      'services/payment/src/repository.ts': "import { idempotent } from '@kontor/kernel/idempotency';",
    },
  },
  'routes, subscriptions and repository': {
    crimes: {
      'services/payment/src/routes.ts': "import { insert } from './repository.js';",
      'services/payment/src/repository.ts': "import { routes } from './routes.js';",
      'adapters/webhooks/src/subscriptions.ts': "import { options } from './main.js';",
    },
    innocent: { 'services/payment/src/routes.ts': "import { initiate } from './payment.js';\nimport type { Payments } from './repository.js';", 'services/payment/src/main.ts': "import { routes } from './routes.js';" },
  },
  'only repository.ts': {
    crimes: { 'services/payment/src/routes.ts': "import { Op } from 'sequelize';", 'portal/src/pages.ts': "import pg from 'pg';" },
    innocent: { 'services/payment/src/repository.ts': "import { DataTypes } from 'sequelize';", 'portal/src/main.ts': "import pg from 'pg';", 'kernel/src/database.ts': "import pg from 'pg';" },
  },
  'process.env is read': {
    crimes: { 'services/payment/src/repository.ts': 'const at = process.env.DATABASE_URL;', 'plugins/a/handler.ts': 'process.env' },
    innocent: { 'services/payment/src/main.ts': 'process.env', 'scripts/start.mjs': 'process.env', 'kernel/src/config.ts': 'process.env', 'services/payment/src/a.ts': 'environment' },
  },
  'nothing that runs in production writes': {
    crimes: { 'services/payment/src/routes.ts': "console.log('x')", 'kernel/src/a.ts': 'console.error(fault);' },
    innocent: { 'scripts/demo.ts': "console.log('x')", 'services/payment/test/a.test.ts': 'console.log(1)' },
  },
  'a file of code has': {
    crimes: { 'services/payment/src/a.ts': 'x\n'.repeat(501) },
    innocent: { 'services/payment/src/a.ts': 'x\n'.repeat(500), 'kernel/src/events.generated.ts': 'x\n'.repeat(900), 'docs/long.md': 'x\n'.repeat(900) },
  },
  'every setting named': {
    crimes: { 'services/payment/src/main.ts': "    MY_SECRET: secret({ explain: 'x' }),", 'scripts/start.mjs': 'process.env.MY_SWITCH', 'portal/src/main.ts': "process.env['MY_OTHER']" },
    innocent: { '.env.example': '# what it is for\nMY_SECRET=\n# and this\n# MY_SWITCH=on', 'services/payment/src/main.ts': "    MY_SECRET: secret({ explain: 'x' }),", 'scripts/start.mjs': 'process.env.MY_SWITCH ?? process.env.PATH' },
  },
  'no file names a folder': {
    crimes: { 'docs/a.md': 'see /home/someone/kontor', 'scripts/a.ts': "const at = '/root/kontor';" },
    innocent: { 'services/a/openapi.yaml': 'url: https://example.com/work/', 'scripts/a.ts': "const at = '/usr/lib';" },
  },
  'package-lock.json names': {
    crimes: { 'package-lock.json': `      "resolved": "https://${'registry'}.example/x/-/x-1.0.0.tgz",` },
    innocent: { 'package-lock.json': '      "resolved": "services/account",' },
  },
  'nothing is left to do': {
    crimes: { 'services/payment/src/a.ts': '// TODO refuse it', 'deck/policies.yaml': '# FIXME' },
    innocent: { 'services/payment/src/a.ts': 'const method = todoList;', 'docs/a.md': 'TODO' },
  },
  'nothing is exported as default': {
    crimes: { 'services/payment/src/a.ts': 'export default function pay() {}', 'portal/src/b.ts': 'export { pay as default };' },
    innocent: { 'plugins/a/schema.ts': 'export = schema;', 'eslint.config.js': 'export default [];', 'services/payment/src/a.ts': 'export const byDefault = 1;' },
  },
};

const asFiles = (files: Record<string, string>): SourceFile[] => Object.entries(files).map(([path, text]) => ({ path, text }));

describe('the house', () => {
  const files = repository(new URL('../../', import.meta.url));

  it('is looked at as a whole', () => {
    const paths = files.map(({ path }) => path);
    expect(paths).to.include.members(['package-lock.json', '.env.example', 'kernel/src/service.ts', 'services/payment/openapi.yaml', 'tests/tidy/rules.ts']);
    expect(paths.filter((path) => /node_modules|(^|\/)dist\//.test(path))).to.deep.equal([]);
  });

  it('reads every way to import', () => {
    const text = ["import a from 'a';", "import type { B } from \"b\";", "import {\n  c,\n  type D,\n} from './c.js';", "export * from 'd';", "import 'e';", "const f = await import('f');", "export type { G } from 'g';"].join('\n');
    expect(importsOf({ path: 'x.ts', text }).map(({ specifier, typesOnly }) => `${specifier}${typesOnly ? '*' : ''}`)).to.deep.equal(['a', 'b*', './c.js', 'd', 'e', 'f', 'g*']);
  });

  for (const rule of RULES) {
    describe(rule.title, () => {
      const [, examples] = Object.entries(CRIMES).find(([beginning]) => rule.title.startsWith(beginning)) ?? [];

      it('catches each crime', () => {
        expect(examples, 'a rule without its crime').to.not.equal(undefined);
        for (const [path, text] of Object.entries(examples?.crimes ?? {})) expect(rule.find([{ path, text }]), path).to.not.deep.equal([]);
      });
      it('lets the innocent go', () => expect(rule.find(asFiles(examples?.innocent ?? {}))).to.deep.equal([]));
      it('is kept', () => {
        const crimes = rule.find(files);
        expect(crimes, `${rule.instead}:\n${crimes.join('\n')}\n`).to.have.length(0);
      });
    });
  }
});
