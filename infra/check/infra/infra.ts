/**
 * `npm run check:infra`: two stages are packaged, and their templates judged. Every check runs; all report. What a tool
 * finds and is let pass stands in `suppressions.ts`.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cfnLint } from './cfn-lint.ts';
import { checkov } from './checkov.ts';
import { type Finding, judged, type PackagedStage, type Suppression } from './finding.ts';
import { moto } from './moto.ts';
import { packageStage } from './packaged.ts';
import { installTools, Unavailable } from './python.ts';
import { roles } from './roles.ts';
import { STAGES } from './stages.ts';
import { CFN_LINT, CHECKOV, MOTO } from './suppressions.ts';

const HELP = `npm run check:infra

Packages two stages, one plain and one that uses everything, and checks the
CloudFormation templates before anything is deployed. No account is needed.

  roles     what each function calls is allowed, what it must not is refused
  cfn-lint  each resource as CloudFormation's registry describes it
  checkov   rules of security
  moto      makes a stack of the plain template (npm run template) in a process
            of its own, and asks its services whether all is as the template says

The last three are written in Python (3.11 or newer) and are installed below
dist/ at the first run, in the versions of infra/check/infra/requirements.txt.
Another python3 than the PATH's: PYTHON=<path>. What they find and is let pass,
with reasons: infra/check/infra/suppressions.ts.

EXIT CODE
  0 all holds; 1 something was found; 2 a mistake in the command; 3 nothing was
  found, but not everything could be checked, as without Python

OPTIONS
  --help  this text`;

/** The templates stay there, to be looked at. */
const FOLDER = resolve(import.meta.dirname, '../../../dist/check');

interface Check {
  readonly name: string;
  readonly findings: (stages: readonly PackagedStage[]) => Promise<readonly Finding[]>;
  readonly suppressions: readonly Suppression[];
  /** Default false: it is written in Python. */
  readonly python?: boolean;
}

const CHECKS: readonly Check[] = [
  { name: 'roles', findings: roles, suppressions: [] },
  { name: 'cfn-lint', findings: cfnLint, suppressions: CFN_LINT, python: true },
  { name: 'checkov', findings: checkov, suppressions: CHECKOV, python: true },
  { name: 'moto', findings: moto, suppressions: MOTO, python: true },
];

const PYTHON = CHECKS.flatMap(({ name, python }) => (python ? name : [])).join(', ');

type Outcome = 'ok' | 'found' | 'not checked';

const line = (outcome: Outcome, name: string, what: string) =>
  console.log(`${{ ok: '√', found: '×', 'not checked': '·' }[outcome]} ${name.padEnd(9)} ${what}`);

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
    if (!values.help) return await checkAll();
    console.log(HELP);
    return 0;
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`check:infra: ${(error as Error).message}`);
    return 2;
  }
}

async function checkAll(): Promise<number> {
  const stages = await packaged();
  if (stages === undefined) return 1;
  const unavailable = await installTools(console.log).then(() => undefined, reasonOf);
  const outcomes: Outcome[] = [];
  for (const check of CHECKS)
    if (unavailable === undefined || !check.python) outcomes.push(await checked(check, stages));
  if (unavailable !== undefined) outcomes.push(told('not checked', 'Python', `${unavailable}: left out ${PYTHON}`));
  if (outcomes.includes('found')) return 1;
  return outcomes.includes('not checked') ? 3 : 0;
}

async function packaged(): Promise<PackagedStage[] | undefined> {
  try {
    const stages: PackagedStage[] = [];
    for (const stage of STAGES) {
      const path = resolve(FOLDER, `${stage.name}.json`);
      const [template, zip] = [resolve(FOLDER, `${stage.name}.template.json`), resolve(FOLDER, `${stage.name}.zip`)];
      await packageStage(stage, { path, template, zip });
      const { Resources } = JSON.parse(await readFile(path, 'utf8')) as { readonly Resources: object };
      stages.push({ name: stage.name, path, template, zip, resources: Object.keys(Resources) });
    }
    line('ok', 'packaged', stages.map(({ name, resources }) => `${name}: ${resources.length} resources`).join(', '));
    return stages;
  } catch (error) {
    line('found', 'packaged', (error as Error).message);
    return undefined;
  }
}

async function checked({ name, findings, suppressions }: Check, stages: readonly PackagedStage[]): Promise<Outcome> {
  let all: readonly Finding[];
  try {
    all = await findings(stages);
  } catch (error) {
    return told('not checked', name, (error as Error).message);
  }
  const names = stages.map((stage) => stage.name);
  const { found, unneeded } = judged(all, suppressions, names);
  const outcome = found.length + unneeded.length > 0 ? 'found' : 'ok';
  told(outcome, name, `${found.length} found, ${all.length - found.length} let pass by ${suppressions.length} rules`);
  for (const { stage, rule, resource, message } of found)
    console.log(`  ${stage} ${resource}\n    ${rule}: ${message}`);
  for (const what of unneeded) console.log(`  not needed any more in suppressions.ts: ${what}`);
  return outcome;
}

function told(outcome: Outcome, name: string, what: string): Outcome {
  line(outcome, name, what);
  return outcome;
}

/** @throws what is no reason of an environment */
function reasonOf(error: unknown): string {
  if (error instanceof Unavailable) return error.message;
  throw error;
}
