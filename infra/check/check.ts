/** `npm run check`: types, lint and format, unused code, and the arrows between the rooms. Every check runs; all report. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { cruise } from 'dependency-cruiser';
import { architecture } from './architecture.ts';

const COMMANDS = [
  ['types', 'tsc', '-p', '.'],
  ['lint and format', 'biome', 'check', '--error-on-warnings', '.'],
  ['unused code', 'knip'],
] as const;

const HELP = `npm run check

Types, lint and format, unused code, and the arrows between the rooms of the
code. Every check runs; exit code 0 only if all of them hold. No options.`;

const failed: string[] = [];

if (parseArgs({ options: { help: { type: 'boolean', short: 'h' } } }).values.help) console.log(HELP);
else await checkAll();

async function checkAll(): Promise<void> {
  for (const [name, command, ...args] of COMMANDS) {
    const { status } = spawnSync(command, args, { stdio: 'inherit' });
    report(name, status === 0);
  }
  report('arrows', await arrowsHold());
  process.exitCode = failed.length === 0 ? 0 : 1;
}

async function arrowsHold(): Promise<boolean> {
  const { options, forbidden = [] } = architecture;
  const { output } = await cruise(['functions', 'infra', 'test'], {
    ...options,
    ruleSet: { forbidden },
    validate: true,
  });
  if (typeof output === 'string') throw new Error('expected the result of the cruise as an object');
  for (const { rule, from, to } of output.summary.violations) console.log(`${from} -> ${to}: ${rule.name}`);
  const { totalCruised, error } = output.summary;
  // A cruiser that cannot read TypeScript finds no module, and with it no violation.
  if (totalCruised < 30) console.log(`only ${totalCruised} modules were read`);
  return error === 0 && totalCruised >= 30;
}

function report(name: string, passed: boolean): void {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name}`);
  if (!passed) failed.push(name);
}
