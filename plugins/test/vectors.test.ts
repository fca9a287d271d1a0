import { expect } from 'chai';
import { PROBLEMS as KERNEL_PROBLEMS } from '@kontor/kernel/problem';
import { plugins, type PluginName } from '../index.js';
import { PROBLEMS } from '../problems.js';
import { LUAJIT, runInLua } from './luajit.js';
import { comparable, differences, readVectors, type Json, type Vector } from './vectors.js';

type Core = Record<string, (facts: unknown, config: unknown, third: unknown) => unknown>;

function runInNode(vector: Vector): Json {
  const core = plugins[vector.plugin as PluginName].core as unknown as Core;
  return comparable((core[vector.call] as Core[string])(vector.facts, vector.config, vector.third ?? undefined));
}

describe('gateway plugins decide alike in Node and in LuaJIT', () => {
  const vectors = readVectors();

  for (const plugin of Object.keys(plugins)) {
    describe(plugin, () => {
      const own = vectors.filter((vector) => vector.plugin === plugin);
      for (const vector of own) {
        it(vector.title, () => {
          expect(differences(runInNode(vector), vector.expect)).to.deep.equal([]);
        });
      }
      it('has vectors enough, each with its own title', () => {
        expect(new Set(own.map((vector) => vector.title)).size).to.equal(own.length);
        expect(own.length).to.be.at.least(plugin === 'consent-check' ? 25 : 15);
      });
    });
  }

  it('gives the same whole result in LuaJIT for every vector', function () {
    if (!LUAJIT) {
      console.log('      skipped: LUAJIT names no luajit; the launcher (scripts/infra) provides one');
      this.skip();
    }
    const inLua = runInLua(vectors);
    const differing = vectors.flatMap((vector, index) => {
      const inNode = runInNode(vector);
      try {
        expect(inLua[index]).to.deep.equal(inNode);
        return [];
      } catch {
        return [{ vector: `${vector.plugin}: ${vector.title}`, inNode, inLua: inLua[index] }];
      }
    });
    expect(differing).to.deep.equal([]);
  });

  it('notices a result that is not the expected one', () => {
    const actual = comparable({ kind: 'refuse', status: 403, clearRequestHeaders: ['b', 'a'] });
    expect(differences(actual, { kind: 'allow' })).to.have.length(1);
    expect(differences(actual, { status: null })).to.have.length(1);
    expect(differences(actual, { clears: ['a'] })).to.have.length(1);
    expect(differences(actual, { code: 'x' })).to.have.length(1);
    expect(differences(actual, { status: 403, clears: ['a', 'b'], token: null })).to.deep.equal([]);
  });

  it('knows problems as the kernel does', () => {
    const kernel = KERNEL_PROBLEMS as Record<string, unknown>;
    for (const [code, problem] of Object.entries(PROBLEMS)) expect(kernel[code], code).to.deep.equal(problem);
  });
});
