/** The files with which one sends to the user's destinations, and the lines that say what to copy. */
import type { Landscape } from '../landscape.ts';
import { fitted } from '../story/width.ts';
import { issuerPath, type OwnDestination } from './connect.ts';
import type { Folder } from './folder.ts';
import type { Issuers } from './issuer.ts';
import { samplePayload } from './payload.ts';
import { queueOptions, webhookOptions } from './send-options.ts';
import { type Way, type Written, waysOf } from './settings.ts';
import { proofs } from './webhook-secret.ts';

export interface WritingTo {
  readonly folder: Folder;
  readonly landscape: Pick<Landscape, 'iamUser'>;
  readonly issuers: Issuers | undefined;
  readonly region: string;
  /** Before the name of a destination. */
  readonly webhooksUrl: string;
}

/** @returns what to copy, and what to know, for each destination */
export async function writeFiles(own: readonly OwnDestination[], to: WritingTo): Promise<string[]> {
  const shared = proofs(own.map(({ settings }) => settings));
  const lines: string[] = [];
  for (const one of own) lines.push(...(await writeOne(one, shared, to)), '');
  return lines;
}

async function writeOne(
  { name, settings, destination, target, notes, credentials, newSideCredentials }: OwnDestination,
  shared: ReturnType<typeof proofs>,
  to: WritingTo,
): Promise<string[]> {
  const { folder, webhooksUrl, region } = to;
  const payload = samplePayload(name, settings);
  const payloadFile = await folder.write(`${name}.payload.${payload.ending}`, payload.text);
  const sending = { settings, payload, payloadFile };
  const queueFile = await folder.write(`${name}.queue`, queueOptions(destination.settings.queueUrl as string, sending));
  await folder.write(`${name}.secret.json`, `${JSON.stringify(credentials, null, 2)}\n`);
  if (newSideCredentials !== undefined)
    await folder.write(`${name}.cutover.secret.json`, `${JSON.stringify(newSideCredentials, null, 2)}\n`);
  const webhookFiles: string[] = [];
  for (const [index, way] of waysIn(settings).entries()) {
    const file = `${name}.webhook${index === 0 ? '' : `.${index + 1}`}`;
    const secret = await secretOf(way, { name, index, shared, to });
    const secretFile = secret === undefined ? undefined : await folder.write(`${file}.secret`, secret);
    const options = webhookOptions(`${webhooksUrl}/${name}`, way, {
      ...sending,
      region,
      ...(secretFile === undefined ? {} : { secretFile }),
    });
    webhookFiles.push(await folder.write(file, options));
  }
  const kinds = waysIn(settings).map(({ type }) => type);
  const byWebhook = kinds.length === 0 ? '' : `, webhook by ${kinds.join(', ')}`;
  return [
    fitted(`${name}: ${settings.adapter ?? 'https'} at ${target.split('?')[0]}${byWebhook}`),
    ...notes.map((note) => fitted(`  (${note})`)),
    ...[queueFile, ...webhookFiles].map((file) => `  npm run send -- @${file}`),
  ];
}

function waysIn({ webhook }: Written): Way[] {
  return webhook === undefined ? [] : waysOf(webhook);
}

/** As `npm run send` reads it. */
async function secretOf(
  way: Way,
  {
    name,
    index,
    shared,
    to,
  }: {
    readonly name: string;
    readonly index: number;
    readonly shared: ReturnType<typeof proofs>;
    readonly to: WritingTo;
  },
): Promise<string | undefined> {
  const { issuers, landscape } = to;
  if (way.secret !== undefined) return `${JSON.stringify(shared.get(way.secret))}\n`;
  if (way.type === 'iam') {
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = landscape.iamUser;
    return `${JSON.stringify({ AccessKeyId, SecretAccessKey })}\n`;
  }
  if (way.type !== 'jwt' || issuers === undefined) return undefined;
  const { audience: aud = '', scope } = way;
  const iss = issuers.issuer(issuerPath(name, index));
  return `${await issuers.token({ iss, aud, ...(scope === undefined ? {} : { scope }) })}\n`;
}
