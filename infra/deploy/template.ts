/**
 * `npm run template`: the package as plain CloudFormation, for whatever tool deploys it: `token-relay.template.json` and
 * `token-relay.zip`, made offline and without an account. How each tool takes them: infra/deploy/README.md.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { COMPILED_TEMPLATE, packageService } from './packaging.ts';
import { type CompiledTemplate, LARGEST_INLINE_BYTES, plainTemplate, templateText } from './plain-template.ts';

const TEMPLATE = 'token-relay.template.json';
const ZIP = 'token-relay.zip';

const HELP = `Usage: npm run template -- --stage <name> [--out <folder>]

Makes ${TEMPLATE} and ${ZIP}, offline and without an account:
plain CloudFormation, with the place of the zip as its two parameters
ArtifactBucket and ArtifactKey. The same settings and code give the same bytes.

  --stage <name>    default dev
  --region <name>   default eu-central-1
  --config <file>   another file than serverless.yml, beside it
  --out <folder>    where both are put, default the working directory
  --help            this text

Prints the sizes, the SHA-256 of the zip, which the key must contain, and the
commands that come next. For SAM, CDK and Terraform: infra/deploy/README.md.
Exit code: 0; 1 a mistake in serverless.yml; 2 one in the command.`;

interface Options {
  readonly stage: string;
  readonly region: string | undefined;
  readonly config: string;
  readonly out: string;
}

class Mistake extends Error {}

/** @throws Mistake */
function readOptions(): Options | undefined {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      options: { stage: text, region: text, config: text, out: text, help: { type: 'boolean', short: 'h' } },
    });
    const { help, stage = 'dev', region, config = 'serverless.yml', out = '.' } = values;
    return help ? undefined : { stage, region, config, out };
  } catch (error) {
    throw new Mistake((error as Error).message);
  }
}

async function template({ stage, region, config, out }: Options): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-template-'));
  try {
    const where = region === undefined ? [] : ['--region', region];
    const options = ['--stage', stage, ...where, '--config', config];
    const packaging = await packageService(options, { folder, configuration: config });
    if (packaging.made === undefined) {
      for (const line of packaging.mistakes) console.error(line);
      return 1;
    }
    const { made, warnings } = packaging;
    for (const line of warnings) console.error(line);
    const zip = await readFile(join(folder, `${made.service}.zip`));
    const compiled = JSON.parse(await readFile(join(folder, COMPILED_TEMPLATE), 'utf8')) as CompiledTemplate;
    const sha256 = createHash('sha256').update(zip).digest('hex');
    const name = `${made.service}-${made.stage}`;
    const text = templateText(plainTemplate(compiled, { name, sha256 }));
    await write(out, { [TEMPLATE]: text, [ZIP]: zip });
    const bytes = Buffer.byteLength(text);
    if (bytes > LARGEST_INLINE_BYTES) console.error(large(bytes));
    for (const line of told({ out, name, region: made.region, sha256, bytes, zipBytes: zip.length })) console.log(line);
    return 0;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws Mistake where there is no such folder to be */
async function write(folder: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  } catch (error) {
    throw new Mistake(`--out ${folder}: cannot be written to: ${(error as Error).message}`);
  }
}

const large = (bytes: number) =>
  `${TEMPLATE}: ${bytes} bytes. Above ${LARGEST_INLINE_BYTES} CloudFormation takes it
from S3 alone: with --s3-bucket, or by its URL.`;

interface Told {
  readonly out: string;
  readonly name: string;
  readonly region: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly zipBytes: number;
}

/** In 80 columns, where the names of folder and stage leave room. */
function told({ out, name, region, sha256, bytes, zipBytes }: Told): string[] {
  const size = (count: number) => `${(count / 1000).toFixed(1)} kB`.padStart(10);
  return [
    `${TEMPLATE}${size(bytes)}`,
    `${ZIP.padEnd(TEMPLATE.length)}${size(zipBytes)}`,
    `sha256  ${sha256}`,
    '',
    'Next, with a bucket of yours in the region of the stack:',
    '',
    ...(out === '.' ? [] : [`cd ${out}`]),
    'BUCKET=<bucket>',
    `HASH=${sha256}`,
    `aws s3 cp ${ZIP} s3://$BUCKET/token-relay/$HASH.zip`,
    `aws cloudformation deploy --region ${region} \\`,
    `  --stack-name ${name} --template-file ${TEMPLATE} \\`,
    '  --s3-bucket $BUCKET --s3-prefix token-relay --capabilities CAPABILITY_IAM \\',
    '  --parameter-overrides ArtifactBucket=$BUCKET \\',
    '  ArtifactKey=token-relay/$HASH.zip',
    '',
    'SAM, CDK, Terraform and OpenTofu: infra/deploy/README.md',
  ];
}

try {
  const options = readOptions();
  if (options === undefined) console.log(HELP);
  else process.exitCode = await template(options);
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(`template: ${error.message}`);
  process.exitCode = 2;
}
