import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseSanctionsList, readSanctionsLists } from '../src/sanctions-list.js';
import { buildScreening, THRESHOLD } from '../src/screening.js';

const ROW = (id: number, name: string): string => `${id},"${name}","individual","TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- `;
const MADE_UP = [
  'SCHATTENFELD, Maximus Fiktivus', 'QADHRAFI, Mansur', 'VORONTSOVICH, Yevgeniy', 'AERO-PHANTASIA', 'PHANTOM TRADING CORPORATION', 'KIM, Ryong Bok', 'AL-KHAYALI, Samir',
].map((name, i) => ROW(i + 1, name)).join('\n');

describe('Sanctions lists', () => {
  it('are read in OFAC\'s form: entries, aliases and the aliases in remarks', () => {
    const names = parseSanctionsList(`36,"FICTION AIR",-0- ,"X",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"Fictional; a.k.a. 'AERO FICTION'."\n36,12,"aka","FICTIONAIR",-0- \n\u001a\n`, 'l.csv');
    expect(names).to.deep.equal(['FICTION AIR', 'AERO FICTION', 'FICTIONAIR'].map((name) => ({ list: 'l.csv', entryId: '36', name })));
  });

  for (const [what, text] of [['a header row', 'ent_num,name,type\n'], ['too few columns', '36,"A NAME"\n'], ['no name', ROW(1, '-0-')], ['prose', 'not a list at all\n']])
    it(`are refused with ${what}`, () => {
      expect(() => parseSanctionsList(text!, 'l.csv')).to.throw(/l\.csv/);
    });
});

describe('Screening', () => {
  const screening = buildScreening(parseSanctionsList(MADE_UP, 'made-up.csv'));

  for (const [name, entryId] of [
    ['Maximus Fiktivus Schattenfeld', '1'], ['maximus schattenfeld', '1'], ['SCHATTENFELD MAXIMUS', '1'], ['Máximus Schättenfeld', '1'], ['Maximus Schatenfeld', '1'],
    ['Mansour Gaddrafi', '2'], ['Евгений Воронцович', '3'], ['Evgeny Vorontsovich', '3'], ['Aerophantasia', '4'], ['Aero Phantasia', '4'], ['Phantom Trading Corp.', '5'],
    ['김룡복', '6'], ['سمير الخيالي', '7'],
  ])
    it(`finds ${name}`, () => {
      expect(screening.screen(name!).matches[0]).to.include({ entryId, list: 'made-up.csv' });
    });

  for (const name of ['Maximus Mustermann', 'Ada Sandbox', 'Kim Min', 'Phantom Bakery', 'Samir Nasri', '', '  ', '!!!', '1234'])
    it(`clears ${JSON.stringify(name)}`, () => {
      expect(screening.screen(name)).to.deep.equal({ screening: 'clear', matches: [] });
    });
});

/** Reference data that may lie beside the repository; it is never part of it. */
const REFERENCE = new URL('../../../../shared/reference/sanctions/', import.meta.url);

describe('Screening against the OFAC lists', () => {
  const FILES = ['ofac_sdn.csv', 'ofac_alt.csv', 'ofac_cons_prim.csv', 'ofac_cons_alt.csv'].map((file) => new URL(file, REFERENCE).pathname);

  before(function () {
    if (!existsSync(new URL('name_matching.tsv', REFERENCE))) {
      console.log('      skipped: the reference data (shared/reference/sanctions beside the repository) is not here');
      this.skip();
    }
  });

  it('finds the listed and clears the innocent, in a few milliseconds', () => {
    const screening = buildScreening(readSanctionsLists(FILES));
    const rows = readFileSync(new URL('name_matching.tsv', REFERENCE), 'utf8').trim().split('\n').slice(1).map((line) => line.split('\t'));
    const startedAt = performance.now();
    const screened = rows.map(([query, expected, entryId]) => ({ query, expected, entryId, matches: screening.screen(query!).matches }));
    const perNameMs = (performance.now() - startedAt) / rows.length;
    const listed = screened.filter(({ expected }) => expected === 'yes');
    const innocent = screened.filter(({ expected }) => expected === 'no');
    const found = listed.filter(({ entryId, matches }) => matches.some((match) => match.entryId === entryId)).length;
    const alarmed = innocent.filter(({ matches }) => matches.length > 0).map(({ query }) => query);
    const precision = found / (found + alarmed.length);
    const recall = found / listed.length;
    console.log(`      ${screening.names} names, threshold ${THRESHOLD}: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}, ${perNameMs.toFixed(2)} ms a name; false alarms: ${alarmed.join(', ') || 'none'}`);
    expect(recall).to.be.at.least(0.98);
    expect(precision).to.be.at.least(0.97);
    expect(alarmed.length).to.be.at.most(2);
    expect(perNameMs).to.be.below(20);
  });
});
