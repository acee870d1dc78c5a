/**
 * What wakes somebody: composite alarms over those that stand for themselves, so that one outage is one page however
 * many alarms see it. A host at SAP that is down tells it once; of what else needs a person one alarm tells, which is
 * silent while hosts that are down explain all of it.
 *
 * @see Amazon CloudWatch User Guide, "Composite alarms", "Alarm suppression"; API Reference, PutCompositeAlarm
 */
import { type Alarm, described } from './alarm.ts';
import type { Maintenance } from './notification.ts';
import { logicalName } from './queue.ts';
import type { Resource, Value } from './template.ts';

/** Alarms that one rule may name. */
export const MOST_CHILDREN = 100;
/** Of one rule. */
export const LONGEST_RULE = 10_240;
/** So long nobody is told of the first alarm of an outage: the second comes with the evaluation of the next minutes. */
const WAIT_SECONDS = 600;
/** Alarms that look back for 35 minutes end that long after an outage, and not all at once. */
const EXTENSION_SECONDS = 2_700;

/** Of a host in an alarm's name, which has 255 characters for all. */
const LONGEST_HOST = 80;

export interface Composites {
  readonly resources: Record<string, Resource>;
  /** Those that tell somebody. */
  readonly names: readonly string[];
}

/** @param service as in the metrics, `<service>-<stage>` */
export function composites(service: string, alarms: readonly Alarm[], topic: Value): Composites {
  const paging = alarms.filter(({ severity }) => severity === 'page');
  const hosts = [...new Set(paging.flatMap(({ host }) => host ?? []))].filter((host) => isOfSeveral(host, paging));
  const downs = hosts.map((host, index) => sapDown(service, host, hosts.slice(0, index), paging, topic));
  const ofHosts = downs.map(({ host, name }) => ({ down: name, names: namesOf(paging, host) }));
  const others = paging.filter(({ host }) => host === undefined || !hosts.includes(host)).map(({ name }) => name);

  // Beyond what one rule takes, they are put together in parts first.
  const isLarge = isBeyondRule([...ofHosts.flatMap(({ down, names }) => [down, ...names]), ...others]);
  const parts: Record<string, Resource> = {};
  const inParts = (names: readonly string[], what: string): readonly string[] =>
    isLarge ? partsOf(service, what, names, parts) : names;
  const rest = inParts(others, 'others');
  const atSap = ofHosts.map(({ down, names }, index) => ({ down, names: inParts(names, `host-${index + 1}`) }));

  const onlySapDown = `${service}-only-sap-down`;
  const needsAPerson = `${service}-needs-a-person`;
  const made = {
    ...Object.fromEntries(downs.map(({ logicalId, resource }) => [logicalId, resource])),
    ...parts,
    ...(hosts.length > 0 && {
      AlarmOnlySapDown: composite({
        kind: 'only-sap-down',
        name: onlySapDown,
        means: 'Hosts at SAP that are down explain every alarm that there is.',
        toDo: 'Nothing: it keeps needs-a-person from telling the same once more.',
        rule: explained(rest, atSap),
      }),
    }),
    AlarmNeedsAPerson: composite({
      kind: 'needs-a-person',
      name: needsAPerson,
      means: 'Something needs a person, and it is not, or not only, a host at SAP that is down.',
      toDo: 'Look which alarm is red on the dashboard of the stage; its description says what it means and what to do.',
      rule: any([...atSap.flatMap(({ names }) => names), ...rest]),
      topic,
      ...(hosts.length > 0 && { suppressor: onlySapDown }),
    }),
  };
  return {
    resources: inOrder(made, alarms),
    names: [...downs.map(({ name }) => name), needsAPerson],
  };
}

/** CloudWatch takes a rule only when every alarm that it names is there. */
function inOrder(made: Readonly<Record<string, Resource>>, alarms: readonly Alarm[]): Record<string, Resource> {
  const ids = new Map(alarms.map(({ name, logicalId }) => [name, logicalId]));
  for (const [id, { Properties }] of Object.entries(made)) ids.set(String(Properties.AlarmName), id);
  return Object.fromEntries(
    Object.entries(made).map(([id, resource]): [string, Resource] => {
      const { AlarmRule: rule, ActionsSuppressor: suppressor } = resource.Properties;
      const named = [...`${rule} "${suppressor ?? ''}"`.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name);
      const after = [...new Set(named.flatMap((name) => ids.get(name) ?? []))];
      return [id, after.length === 0 ? resource : { ...resource, DependsOn: after }];
    }),
  );
}

/** All of them are silent in it, though they go on changing. */
export function muteRules(
  service: string,
  windows: readonly Maintenance[],
  { resources, names }: Composites,
): Record<string, Resource> {
  const ids = Object.entries(resources);
  const after = ids.filter(([, { Properties }]) => names.includes(String(Properties.AlarmName))).map(([id]) => id);
  return Object.fromEntries(
    windows.map(({ cron, hours, timezone }, index): [string, Resource] => [
      `Maintenance${index + 1}`,
      {
        Type: 'AWS::CloudWatch::AlarmMuteRule',
        DependsOn: after,
        Properties: {
          Name: `${service}-maintenance-${index + 1}`,
          Description: 'custom.maintenance of serverless.yml: nobody is woken while SAP maintains the tenant.',
          Rule: {
            Schedule: {
              Expression: `cron(${cron})`,
              Duration: `PT${hours}H`,
              ...(timezone === undefined ? {} : { Timezone: timezone }),
            },
          },
          MuteTargets: { AlarmNames: names },
        },
      },
    ]),
  );
}

function sapDown(
  service: string,
  host: string,
  before: readonly string[],
  alarms: readonly Alarm[],
  topic: Value,
): { readonly host: string; readonly name: string; readonly logicalId: string; readonly resource: Resource } {
  // Two hosts may differ in nothing that an alarm's name is made of.
  const same = before.filter((other) => nameOf(other) === nameOf(host)).length;
  const of = same === 0 ? nameOf(host) : `${nameOf(host)}-${same + 1}`;
  const name = `${service}-${of}-sap-down`.replace('-SAP-sap-', '-sap-');
  const saying = alarms.filter((alarm) => alarm.host === host && alarm.saysHostIsDown);
  const kinds = [...new Set(saying.map(({ kind }) => kind))];
  const resource = composite({
    kind: 'sap-down',
    name,
    means: `Several destinations at once say that ${host === 'SAP' ? 'SAP' : `${host} at SAP`}, or its authorization server, takes no messages.`,
    toDo: 'Look whether SAP knows of it (SAP Trust Center, SAP for Me), then at the alarms that are red on the dashboard.',
    // The same at two destinations: two alarms of one and the same may be about nothing but its own credentials.
    rule: kinds
      .map((kind) => saying.filter((alarm) => alarm.kind === kind).map((alarm) => quoted(alarm.name)))
      .map((names) => `AT_LEAST(2, ALARM, (${names.join(', ')}))`)
      .join(' OR '),
    topic,
  });
  return { host, name, logicalId: `AlarmOf${logicalName(of)}SapDown`, resource };
}

/** Of a host that one destination has, its own alarms tell all that there is to tell. */
function isOfSeveral(host: string, alarms: readonly Alarm[]): boolean {
  return alarms.filter((alarm) => alarm.host === host && alarm.kind === 'blocked').length > 1;
}

function nameOf(host: string): string {
  return host.replace(/[^A-Za-z0-9]+/g, '-').slice(0, LONGEST_HOST);
}

function namesOf(alarms: readonly Alarm[], host: string | undefined): string[] {
  return alarms.filter((alarm) => alarm.host === host).map(({ name }) => name);
}

function partsOf(
  service: string,
  what: string,
  names: readonly string[],
  parts: Record<string, Resource>,
): readonly string[] {
  const made: string[] = [];
  for (let left = names; left.length > 0; ) {
    let count = Math.min(MOST_CHILDREN, left.length);
    while (isBeyondRule(left.slice(0, count))) count -= 1;
    const name = `${service}-${what}-${made.length + 1}`;
    parts[`AlarmPart${logicalName(what)}${made.length + 1}`] = composite({
      kind: 'needs-a-person',
      name,
      means: 'A part of needs-a-person, whose rule would be too long in one piece.',
      toDo: 'Look which alarm in it is red.',
      rule: any(left.slice(0, count)),
    });
    made.push(name);
    left = left.slice(count);
  }
  return made;
}

/** The longest rule that is made of them: each is named once, in quotes, with what stands between. */
function isBeyondRule(names: readonly string[]): boolean {
  return names.length > MOST_CHILDREN || any(names).length > LONGEST_RULE - 1_000;
}

/** Some host is down, nothing else is the matter, and no host that is not down has an alarm. */
function explained(
  others: readonly string[],
  hosts: readonly { readonly down: string; readonly names: readonly string[] }[],
): string {
  const unexplained = [
    ...(others.length === 0 ? [] : [any(others)]),
    ...(hosts.length === 1 ? [] : hosts.map(({ down, names }) => `((${any(names)}) AND NOT ALARM(${quoted(down)}))`)),
  ];
  const someDown = `(${any(hosts.map(({ down }) => down))})`;
  return unexplained.length === 0 ? someDown : `${someDown} AND NOT (${unexplained.join(' OR ')})`;
}

function any(names: readonly string[]): string {
  return names.length === 0 ? 'FALSE' : names.map((name) => `ALARM(${quoted(name)})`).join(' OR ');
}

function quoted(name: string): string {
  return `"${name}"`;
}

interface CompositeOptions extends Pick<Alarm, 'kind' | 'name' | 'means' | 'toDo'> {
  readonly rule: string;
  readonly topic?: Value;
  readonly suppressor?: string;
}

function composite({ name, rule, topic, suppressor, ...words }: CompositeOptions): Resource {
  return {
    Type: 'AWS::CloudWatch::CompositeAlarm',
    Properties: {
      AlarmName: name,
      AlarmDescription: described(words),
      AlarmRule: rule,
      ...(topic === undefined ? {} : { AlarmActions: [topic] }),
      ...(suppressor === undefined
        ? {}
        : {
            ActionsSuppressor: suppressor,
            ActionsSuppressorWaitPeriod: WAIT_SECONDS,
            ActionsSuppressorExtensionPeriod: EXTENSION_SECONDS,
          }),
    },
  };
}
