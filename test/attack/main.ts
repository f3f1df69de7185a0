/**
 * The attack battery: `npm run attack`. Start at arena.ts, which sets attacks off and watches; attacks/ has them by
 * family, verdict.ts says what counts as what.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Arena } from './arena.ts';
import { ATTACKS } from './attacks/index.ts';
import { HEAD, summarize, toGoals, toLine } from './report.ts';
import type { AttackResult } from './verdict.ts';

const HELP = `Usage: npm run attack -- [options]

  --only a,b    only these families or attacks: loop, loop/for-ever
  --list        the names of all attacks
  --cells N     cells of the platform (default: 2)
  --cold        attacks are their Workers' first requests, and so run on the lane
  --json FILE   write the results

Families: ${[...new Set(ATTACKS.map(({ name }) => familyOf(name)))].join(', ')}`;

process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      cells: { type: 'string', default: '2' },
      cold: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const only = values.only?.split(',').map((name) => name.trim());
  const attacks = ATTACKS.filter(({ name }) => only?.some((one) => one === name || one === familyOf(name)) ?? true);
  if (values.list) {
    for (const { name } of attacks) console.log(name);
    return 0;
  }
  if (attacks.length === 0) {
    console.error(`No attack is called ${values.only}\n\n${HELP}`);
    return 2;
  }
  const startedAt = performance.now();
  const start = () => Arena.start({ cells: Number(values.cells), cold: values.cold });
  const results: AttackResult[] = [];
  let arena = await start();
  try {
    console.log(`Without attacks the canaries waited ${Math.round(await arena.baseline())} ms at most\n\n${HEAD}`);
    for (const attack of attacks) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that it is known who did what
      const result = await arena.run(attack);
      results.push(result);
      console.log(toLine(result));
      // oxlint-disable-next-line no-await-in-loop
      if (result.verdict !== 'FAILED' || (await arena.isSound())) continue;
      // oxlint-disable-next-line no-await-in-loop
      await arena[Symbol.asyncDispose]().catch(() => {});
      // oxlint-disable-next-line no-await-in-loop
      arena = await start();
    }
  } finally {
    await arena[Symbol.asyncDispose]();
  }
  const summary = summarize(results);
  const { lines, isMet } = toGoals(summary);
  console.log(`\n${lines.join('\n')}`);
  console.log(`${results.length} attacks in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ summary, results }, undefined, 2)}\n`);
  return isMet ? 0 : 1;
}

function familyOf(name: string): string {
  return name.split('/')[0] ?? '';
}
