/** How one sends to a destination: the options of `npm run send`, one a line, as the files below `dist/local/` have them. */
import type { SamplePayload } from './payload.ts';
import type { Way, Written } from './settings.ts';

export interface Sending {
  readonly settings: Written;
  readonly payload: SamplePayload;
  readonly payloadFile: string;
}

export function queueOptions(queueUrl: string, sending: Sending): string {
  return lines([['queue', queueUrl], ...messageOptions(sending)]);
}

/** @param secretFile absent for a way that has no secret */
export function webhookOptions(
  url: string,
  way: Way,
  { region, secretFile, ...sending }: Sending & { readonly region: string; readonly secretFile?: string },
): string {
  const { methods: [method] = ['POST'] } = sending.settings.webhook ?? {};
  const header = way.type === 'api-key' ? 'key-header' : 'signature-header';
  return lines([
    ['url', url],
    ['verify', way.type],
    ['secret', secretFile === undefined ? undefined : `@${secretFile}`],
    [header, way.header],
    ['algorithm', way.algorithm],
    ['encoding', way.encoding],
    ['prefix', way.prefix],
    ['timestamp-header', way.timestampHeader],
    ['signed-content', way.signedContent],
    ['region', way.type === 'iam' ? region : undefined],
    ['method', method === 'POST' ? undefined : method],
    ...messageOptions(sending),
  ]);
}

type Option = readonly [name: string, value: string | undefined];

function messageOptions({ settings, payload, payloadFile }: Sending): Option[] {
  return [
    ['content-type', payload.contentType],
    ['header', restOfPath(settings)],
    ['data', `@${payloadFile}`],
  ];
}

/** Of an OData service only where the settings name no entity set. */
function restOfPath({ pathFrom, adapter, url, path }: Written): string | undefined {
  if (pathFrom === undefined) return undefined;
  if (adapter !== 'odata') return `${pathFrom}: urgent`;
  return /;v=1\/?$/.test(path ?? new URL(url ?? '').pathname) ? `${pathFrom}: Materials` : undefined;
}

function lines(options: readonly Option[]): string {
  return options.map(([name, value]) => (value === undefined ? '' : `--${name} ${value}\n`)).join('');
}
