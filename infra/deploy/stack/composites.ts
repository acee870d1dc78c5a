/**
 * What wakes somebody: composite alarms over those that stand for themselves, so that one outage is one page however
 * many alarms see it. A host at SAP that is down tells it once; of what else needs a person one alarm tells, which is
 * silent while hosts that are down explain all of it. Destinations with few messages say so late, one after another:
 * the first of them has called by `needs-a-person`, and `sap-down` only turns red.
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
/** So long `sap-down` gives the alarm that silences it to follow: both turn red with the same alarm. */
const SETTLED_SECONDS = 60;
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
  const ofHosts = downs.map(({ host, name, late }) => ({ down: name, late, names: namesOf(paging, host) }));
  const others = paging.filter(({ host }) => host === undefined || !hosts.includes(host)).map(({ name }) => name);

  // Beyond what one rule takes, they are put together in parts first.
  const isLarge = isBeyondRule([...ofHosts.flatMap(({ down, late, names }) => [down, late, ...names]), ...others]);
  const parts: Record<string, Resource> = {};
  const inParts = (names: readonly string[], what: string): readonly string[] =>
    isLarge ? partsOf(service, what, names, parts) : names;
  const rest = inParts(others, 'others');
  const atSap = ofHosts.map(({ names, ...host }, index) => ({ ...host, names: inParts(names, `host-${index + 1}`) }));

  const onlySapDown = `${service}-only-sap-down`;
  const needsAPerson = `${service}-needs-a-person`;
  const made = {
    ...Object.assign({}, ...downs.map(({ resources }) => resources)),
    ...parts,
    ...(hosts.length > 0 && {
      AlarmOnlySapDown: composite({
        kind: 'only-sap-down',
        name: onlySapDown,
        means: 'Hosts at SAP that are down explain every alarm that is red, and sap-down has told of them.',
        toDo: 'Do nothing: this alarm only keeps needs-a-person from telling the same once more.',
        rule: explained(rest, atSap),
      }),
    }),
    AlarmNeedsAPerson: composite({
      kind: 'needs-a-person',
      name: needsAPerson,
      means: 'At least one alarm is red that needs a person, and no sap-down has told of it.',
      toDo: 'Look in the first row of the dashboard which alarm is red, and do what its description says.',
      rule: any([...atSap.flatMap(({ names }) => names), ...rest]),
      topic,
      ...(hosts.length > 0 && {
        suppressor: { name: onlySapDown, waitSeconds: WAIT_SECONDS, extensionSeconds: EXTENSION_SECONDS },
      }),
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

interface Down {
  readonly host: string;
  /** Of the alarm that is red while the host is down. */
  readonly name: string;
  /** Of the alarm that is red while nothing says so but what is late. */
  readonly late: string;
  readonly resources: Record<string, Resource>;
}

function sapDown(
  service: string,
  host: string,
  before: readonly string[],
  alarms: readonly Alarm[],
  topic: Value,
): Down {
  // Two hosts may differ in nothing that an alarm's name is made of.
  const same = before.filter((other) => nameOf(other) === nameOf(host)).length;
  const of = same === 0 ? nameOf(host) : `${nameOf(host)}-${same + 1}`;
  const named = (kind: string) => ({
    kind,
    name: `${service}-${of}-${kind}`.replace('-SAP-sap-', '-sap-'),
    logicalId: `AlarmOf${logicalName(of)}${logicalName(kind)}`,
  });
  const ofHost = alarms.filter((alarm) => alarm.host === host);
  const saying = ofHost.filter(({ saysHostIsDown }) => saysHostIsDown !== undefined);
  const parts: Record<string, Resource> = {};
  // The same at two destinations: two alarms of one and the same may be about nothing but its own credentials.
  const signs = (when: Alarm['saysHostIsDown'], inParts: boolean) =>
    [...new Set(saying.filter(({ saysHostIsDown }) => saysHostIsDown === when).map(({ kind }) => kind))]
      .map((kind) => {
        const names = saying.filter((alarm) => alarm.kind === kind).map(({ name }) => quoted(name));
        const rule = `AT_LEAST(2, ALARM, (${names.join(', ')}))`;
        if (!inParts) return rule;
        const { logicalId, name } = named(`${kind}-of-several`);
        const means = `A part of sap-down, whose rule would be too long in one piece: ${kind} is red at two destinations.`;
        parts[logicalId] = composite({ kind: 'sap-down', name, means, toDo: 'Do as for sap-down.', rule });
        return `ALARM(${quoted(name)})`;
      })
      .join(' OR ');
  const namesOfSigns = (...when: Alarm['saysHostIsDown'][]) =>
    saying.filter(({ saysHostIsDown }) => when.includes(saysHostIsDown)).map(({ name }) => name);
  const late = signs('late', isBeyondRule(namesOfSigns('soon', 'late')));
  const soon = signs('soon', isBeyondRule([...namesOfSigns('soon'), `${service}-${of}-not-delivered-of-several`]));
  const down = named('sap-down');
  const told = named('sap-down-late');
  const where = host === 'SAP' ? 'SAP' : `${host} at SAP`;
  return {
    host,
    name: down.name,
    late: told.name,
    resources: {
      ...parts,
      [told.logicalId]: composite({
        ...told,
        means: `Messages of several destinations wait for ${where}, and needs-a-person has told of the first of them.`,
        toDo: 'Do as for sap-down: this alarm only keeps sap-down from telling the same once more.',
        rule: `${late} AND NOT (${soon})`,
      }),
      [down.logicalId]: composite({
        ...down,
        means: `Several destinations at once say that ${where}, or its authorization server, takes no messages.`,
        toDo: 'Look whether SAP knows of it (SAP Trust Center, SAP for Me), then at the alarms that are red on the dashboard.',
        rule: `${soon} OR ${late}`,
        topic,
        suppressor: { name: told.name, waitSeconds: SETTLED_SECONDS, extensionSeconds: SETTLED_SECONDS },
      }),
    },
  };
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

/** `sap-down` has told of some host, nothing else is the matter, and no other host has an alarm. */
function explained(
  others: readonly string[],
  hosts: readonly { readonly down: string; readonly late: string; readonly names: readonly string[] }[],
): string {
  const told = ({ down, late }: (typeof hosts)[number]) => `(ALARM(${quoted(down)}) AND NOT ALARM(${quoted(late)}))`;
  const unexplained = [
    ...(others.length === 0 ? [] : [any(others)]),
    ...(hosts.length === 1 ? [] : hosts.map((host) => `((${any(host.names)}) AND NOT ${told(host)})`)),
  ];
  const someTold = `(${hosts.map(told).join(' OR ')})`;
  return unexplained.length === 0 ? someTold : `${someTold} AND NOT (${unexplained.join(' OR ')})`;
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
  /** While it is red nobody is told; waited for so long first, and for so long after it. */
  readonly suppressor?: {
    readonly name: string;
    readonly waitSeconds: number;
    readonly extensionSeconds: number;
  };
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
            ActionsSuppressor: suppressor.name,
            ActionsSuppressorWaitPeriod: suppressor.waitSeconds,
            ActionsSuppressorExtensionPeriod: suppressor.extensionSeconds,
          }),
    },
  };
}
