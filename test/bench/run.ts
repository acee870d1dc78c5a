/**
 * `npm run bench`: the relay, its peers and its limits, in one run on this machine. Builds everything, starts the
 * servers, runs the parts one after another, prints tables and goals. Exit code 0 whatever the figures are.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { claim } from './part/claim.ts';
import { cold } from './part/cold.ts';
import { life } from './part/life.ts';
import { parts } from './part/parts.ts';
import { scale } from './part/scale.ts';
import { token } from './part/token.ts';
import { warm } from './part/warm.ts';
import type { Bench, PartResult } from './part.ts';
import { svg } from './plot.ts';
import { createProgress } from './progress.ts';
import { isReached, markdown, printable } from './report.ts';
import { buildSubjects, installPeers } from './subject.ts';
import { createTrials } from './trial.ts';
import { startWorld } from './world.ts';

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<PartResult>>> = {
  cold,
  warm,
  life,
  scale,
  token,
  claim,
  parts,
};
/** What runs where no part is named. `parts` is for a change of a fast path. */
const USUAL = Object.keys(PARTS).filter((name) => name !== 'parts');
/** Where CPU is measured message by message (`servers/run.ts`). */
const AWAKE = ['warm', 'life', 'scale'];
const HELP = `Usage: npm run bench -- [options]

  --only <part>   one of ${Object.keys(PARTS).join(', ')}; several with commas (default: all but parts)
  --effort <n>    multiplies the numbers of rounds, 0.2 for a quick look (default 1)
  --json          results as JSON on stdout
  --save          writes test/bench/RESULTS.md and the plots next to it
  --help          this text`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    effort: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const chosen = values.only?.flatMap((names) => names.split(/[|,]/)) ?? USUAL;
const effort = Number(values.effort);
const unknown = chosen.find((name) => !Object.hasOwn(PARTS, name));
if (values.help) console.log(HELP);
else if (unknown !== undefined || !(effort > 0)) {
  console.error(
    unknown === undefined ? '--effort: expected a number above 0' : `--only: there is no part "${unknown}"`,
  );
  console.error(HELP);
  process.exitCode = 2;
} else await run();

async function run(): Promise<void> {
  const progress = createProgress();
  const machine = describeMachine();
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-bench-'));
  installPeers((line) => process.stderr.write(`${line}\n`));
  const [subjects, world] = await Promise.all([buildSubjects(folder), startWorld()]);
  const results: PartResult[] = [];
  try {
    const bench: Bench = { subjects, world, trial: createTrials(world), folder, effort, progress };
    for (const name of chosen) {
      await world.stayAwake(AWAKE.includes(name));
      progress.begin(name);
      const result = await PARTS[name]?.(bench);
      progress.end();
      if (result !== undefined) results.push(result);
    }
  } finally {
    await world.stop();
    await rm(folder, { recursive: true });
  }
  const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  if (values.json) console.log(JSON.stringify({ machine, command, results }, null, 2));
  else console.log(printable(results));
  const missed = results.flatMap(({ goals }) => goals).filter((goal) => !isReached(goal)).length;
  if (missed > 0) process.stderr.write(`\n${missed} goals missed\n`);
  if (values.save) await save(results, markdown(results, machine, command));
}

async function save(results: readonly PartResult[], text: string): Promise<void> {
  await writeFile(join(import.meta.dirname, 'RESULTS.md'), text);
  for (const plot of results.flatMap(({ plots = [] }) => plots)) {
    await writeFile(join(import.meta.dirname, `${plot.name}.svg`), svg(plot));
  }
}
