/** Where a command looks: a deployment, by the names that it has on AWS, or the landscape of `npm start`, which is stage `local`. */
import { FIRST_PORT, portsFrom } from '../local/command/ports.ts';
import { Mistake } from './replay/mistake.ts';

export interface Place {
  /** `service` of serverless.yml. */
  readonly service: string;
  readonly stage: string;
  readonly region: string;
  /** Of a landscape that is not at its usual ports: that of its page. */
  readonly port?: number;
}

const text = { type: 'string' } as const;
export const PLACE_OPTIONS = { stage: text, region: text, service: text, port: text } as const;

/** The names and the region of serverless.yml, so that the same options mean the same place as at its deployment. */
export const DEFAULT_PLACE = { service: 'token-relay', stage: 'dev', region: 'eu-central-1' } as const;
const LOCAL = 'local';

/** @throws Mistake */
export function readPlace(values: { readonly [Name in keyof typeof PLACE_OPTIONS]?: string | undefined }): Place {
  const { port, stage = DEFAULT_PLACE.stage } = values;
  const { service = DEFAULT_PLACE.service, region = DEFAULT_PLACE.region } = values;
  if (port === undefined) return { service, stage, region };
  if (stage !== LOCAL) throw new Mistake(`--port is of a landscape of npm start: it goes with --stage ${LOCAL}`);
  if (!/^\d{4,5}$/.test(port) || Number(port) > 65_000) throw new Mistake(`--port ${port}: expected that of its page`);
  return { service, stage, region, port: Number(port) };
}

/** All of AWS's services of the landscape, behind one address. @returns undefined for AWS itself */
export function landscapeUrl({ stage, port = FIRST_PORT }: Pick<Place, 'stage' | 'port'>): string | undefined {
  return stage === LOCAL ? `http://127.0.0.1:${portsFrom(port).aws}` : undefined;
}

/** @param words why nothing answered @returns with what helps where that is the landscape */
export function withLandscapeHint(words: string, { stage, port }: Pick<Place, 'stage' | 'port'>): string {
  if (stage !== LOCAL || !words.includes('ECONNREFUSED')) return words;
  const other =
    port === undefined ? `; if its page is not at port ${FIRST_PORT}, add --port with that of its page` : '';
  return `${words}: is npm start running?${other}`;
}

/** As another command names the same place; what is so by default is left out, but for the stage. */
export function placeOptions({ service, stage, region, port }: Place): string {
  return [
    `--stage ${stage}`,
    ...(service === DEFAULT_PLACE.service ? [] : [`--service ${service}`]),
    ...(region === DEFAULT_PLACE.region ? [] : [`--region ${region}`]),
    ...(port === undefined ? [] : [`--port ${port}`]),
  ].join(' ');
}
