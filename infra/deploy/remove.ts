/**
 * `npm run remove`: takes the stack of a stage away by the framework. Queues and dead-letter queues stay, with what is in
 * them. Without `--yes` it changes nothing: it tells what goes, what stays, and the commands that look into the queues first.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { isRecord } from '../../functions/untrusted.ts';
import { readConfiguration } from './stack/configuration.ts';
import type { ServiceInput } from './stack/destination.ts';

const FRAMEWORK = fileURLToPath(import.meta.resolve('osls/bin/serverless.js'));

const HELP = `Usage: npm run remove -- --stage <name> [--yes]

Without --yes it changes nothing: it tells what goes, what stays, and how to
look into the queues first, offline and without credentials. With --yes it
removes the stack.

  --stage <name>        of the deployment; there is no default
  --region <name>       default: the one of serverless.yml
  --aws-profile <name>  whose credentials; default: as for any AWS SDK
  --yes                 removes it
  --help                this text

Exit code: 0; 1 it could not be removed; 2 a mistake in the command or in
serverless.yml.`;

const GOES = `
goes    the functions, their roles and logs, the HTTP API with its URL and log, what polls the queues,
        alarms, dashboard and queries, and the bucket of the deployments`;

interface Options {
  readonly stage: string;
  readonly region?: string | undefined;
  readonly 'aws-profile'?: string | undefined;
  readonly yes?: boolean | undefined;
}

class Mistake extends Error {}

function readOptions(): Options | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const { values } = parseArgs({
      options: { stage: text, region: text, 'aws-profile': text, yes: flag, help: { ...flag, short: 'h' } },
    });
    if (values.help) return undefined;
    const { stage } = values;
    if (stage === undefined) throw new Mistake('--stage: required, the stage that is to be removed');
    return { ...values, stage };
  } catch (error) {
    throw new Mistake((error as Error).message);
  }
}

/** serverless.yml with every variable resolved, as the framework sees it for this stage. */
async function resolvedService({ stage, region }: Options): Promise<ServiceInput> {
  const where = ['--stage', stage, ...(region === undefined ? [] : ['--region', region])];
  const { code, output } = await framework(['print', '--format', 'json', ...where], 'pipe');
  const printed: unknown = code === 0 ? JSON.parse(output) : undefined;
  if (!isRecord(printed) || !isRecord(printed.provider))
    throw new Mistake(`serverless.yml: cannot be read for this stage; npm run package -- --stage ${stage} says why`);
  const { service, custom, provider } = printed;
  return { service: String(service), stage: String(provider.stage), region: String(provider.region), custom };
}

async function framework(options: readonly string[], output: 'pipe' | 'inherit') {
  const env = { ...process.env, ...(output === 'pipe' && { SLS_LOG_LEVEL: 'error' }) };
  const child = spawn(process.execPath, [FRAMEWORK, ...options], { env, stdio: ['ignore', output, 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((settle, fail) => child.once('error', fail).once('close', settle));
  return { code, output: stripVTControlCharacters(Buffer.concat(chunks).toString()) };
}

/** Of the destinations in serverless.yml; those of earlier ones are not known here. */
function createdQueues(service: ServiceInput) {
  return readConfiguration(service).destinations.flatMap(({ settings, queue }) =>
    queue.created ? [{ destination: settings.name, name: queue.name, deadLetterName: queue.deadLetterName }] : [],
  );
}

function told(service: ServiceInput): string[] {
  const { stage, region } = service;
  const queues = createdQueues(service);
  const where = `--stage ${stage} --region ${region}`;
  const named = service.service === 'token-relay' ? '' : ` --service ${service.service}`;
  return [
    `${service.service}, stage ${stage}, ${region}`,
    GOES,
    ...queues.flatMap(({ name, deadLetterName }) => [`stays   ${name}`, `stays   ${deadLetterName}`]),
    'stays   queues of destinations that were taken out of serverless.yml before, existing queues, buckets and secrets',
    '',
    'Messages that stay are kept until they are 14 days old, and nobody delivers them any more. Look first:',
    ...queues.flatMap(({ destination, name }) => [
      `  npm run replay -- ${where}${named} --destination ${destination}`,
      `  ${waiting(name, region)}`,
    ]),
  ];
}

/** How many wait in a queue, and how many wait for their next try. */
function waiting(name: string, region: string): string {
  const url = `$(aws sqs get-queue-url --region ${region} --queue-name ${name} --query QueueUrl --output text)`;
  return `aws sqs get-queue-attributes --region ${region} --queue-url ${url} --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible`;
}

async function remove(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  const service = await resolvedService(options);
  for (const line of told(service)) console.log(line);
  const { stage, region } = service;
  if (!options.yes) {
    console.log(`\nNothing is changed. To remove it: npm run remove -- --stage ${stage} --region ${region} --yes`);
    return 0;
  }
  const profile = options['aws-profile'] === undefined ? [] : ['--aws-profile', options['aws-profile']];
  const { code } = await framework(['remove', '--stage', stage, '--region', region, ...profile], 'inherit');
  return code === 0 ? 0 : 1;
}

try {
  process.exitCode = await remove();
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(`remove: ${error.message}`);
  process.exitCode = 2;
}
