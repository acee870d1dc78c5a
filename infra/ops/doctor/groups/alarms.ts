/** Whether anybody is told: alarms of the stage, which of them ring, and somebody who gets their notifications. */
import { type CompositeAlarm, DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import { errorName, whyNot } from '../clients.ts';
import { FINDINGS, type FindingId } from '../findings.ts';
import { finding, fine, hindered, type Line, notChecked } from '../line.ts';
import type { Looking } from '../looking.ts';

type Alarm = Pick<MetricAlarm & CompositeAlarm, 'AlarmName' | 'StateValue' | 'StateTransitionedTimestamp'> &
  Pick<MetricAlarm, 'ActionsEnabled' | 'AlarmActions'>;

/** @param destinations names, of those that are looked at */
export async function lookAtAlarms(
  { service, stage }: { readonly service: string; readonly stage: string },
  destinations: readonly string[],
  looking: Looking,
): Promise<Line[]> {
  const prefix = `${service}-${stage}-`;
  const alarms = await alarmsOf(prefix, looking);
  if (!Array.isArray(alarms)) return [alarms];
  if (alarms.length === 0) {
    if (stage === 'local') return [notChecked('alarms', 'alarms', 'not checked: the landscape of npm start has none')];
    return [finding('alarms-missing', `no alarm begins with ${prefix}: nobody is told when messages wait`)];
  }
  const unwatched = destinations.filter(
    (name) => !alarms.some(({ AlarmName = '' }) => AlarmName.startsWith(`${prefix}${name}-`)),
  );
  const ringing = alarms.flatMap((alarm) => ringingLine(alarm, prefix, destinations));
  return [
    ...unwatched.map((name) => ({
      ...finding('alarms-missing', `no alarm begins with ${prefix}${name}-`),
      destination: name,
    })),
    ...(await lookAtListeners(alarms, looking)),
    ...ringing,
  ];
}

async function alarmsOf(AlarmNamePrefix: string, { clients, signal }: Looking): Promise<Alarm[] | Line> {
  const found: Alarm[] = [];
  let NextToken: string | undefined;
  try {
    do {
      const command = new DescribeAlarmsCommand({
        AlarmNamePrefix,
        AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
        NextToken,
      });
      const page = await clients.cloudWatch.send(command, { abortSignal: signal });
      found.push(...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return found;
  } catch (error) {
    return hindered('alarms', 'alarms', whyNot(error, 'cloudwatch:DescribeAlarms'));
  }
}

/** The longest first: one may end as another does. */
const IDS = (Object.keys(FINDINGS) as FindingId[]).sort((one, other) => other.length - one.length);
/** Whose alarms have a destination's name in theirs. */
const OF_DESTINATIONS: ReadonlySet<FindingId> = new Set([
  'dead-letters',
  'letters-expire',
  'not-picked-up',
  'not-delivered',
  'in-flight',
  'blocked',
  'failing',
  'rejected',
  'rejected-often',
  'token-refused',
  'nobody-polls',
  'webhook-not-queued',
]);

/** They tell of other alarms, which are told here themselves. */
const OF_ALARMS: ReadonlySet<string> = new Set(['needs-a-person', 'only-sap-down', 'sap-down-late']);

/** Where the alarm's id is a finding's. */
function ringingLine(
  { AlarmName = '', StateValue, StateTransitionedTimestamp }: Alarm,
  prefix: string,
  destinations: readonly string[],
): Line[] {
  const rest = AlarmName.slice(prefix.length);
  const id = IDS.find((one) => rest === one || rest.endsWith(`-${one}`));
  if (StateValue !== 'ALARM' || id === undefined || OF_ALARMS.has(rest)) return [];
  const destination = destinations.find((name) => rest === `${name}-${id}`);
  // That of a destination which nobody asked for.
  if (destination === undefined && OF_DESTINATIONS.has(id)) return [];
  const since = StateTransitionedTimestamp?.toISOString().slice(0, 16) ?? 'an unknown time';
  const line = finding(id, `${AlarmName} rings since ${since}Z`, 'alarms');
  return [destination === undefined ? line : { ...line, destination }];
}

async function lookAtListeners(alarms: readonly Alarm[], looking: Looking): Promise<Line[]> {
  const actions = [
    ...new Set(
      alarms.flatMap(({ ActionsEnabled, AlarmActions }) => (ActionsEnabled === false ? [] : (AlarmActions ?? []))),
    ),
  ];
  if (actions.length === 0)
    return [finding('alarms-silent', `none of ${alarms.length} alarms has an action that is enabled`)];
  const topics = actions.filter((arn) => arn.split(':')[2] === 'sns');
  const count = alarms.length === 1 ? '1 alarm' : `${alarms.length} alarms`;
  // Who else is told, as an incident manager, is somebody.
  if (topics.length < actions.length) return [fine('alarms', 'alarms', `${count}, with actions beside SNS`)];
  const hindrances: Line[] = [];
  for (const topic of topics) {
    const confirmed = await confirmedIn(topic, looking);
    if (typeof confirmed === 'object') hindrances.push(confirmed);
    else if (confirmed > 0) return [fine('alarms', 'alarms', `${count}, with somebody behind ${nameOf(topic)}`)];
  }
  if (hindrances.length > 0) return hindrances;
  const names = topics.map(nameOf).join(', ');
  return [finding('alarms-silent', `nobody has confirmed a subscription of ${names}: alarms ring unheard`)];
}

const nameOf = (arn: string) => arn.slice(arn.lastIndexOf(':') + 1);

async function confirmedIn(TopicArn: string, { clients, signal }: Looking): Promise<number | Line> {
  try {
    const { Subscriptions = [] } = await clients.sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }), {
      abortSignal: signal,
    });
    return Subscriptions.filter(({ SubscriptionArn = '' }) => SubscriptionArn.startsWith('arn:')).length;
  } catch (error) {
    // A topic that is gone tells nobody.
    if (['NotFoundException', 'NotFound'].includes(errorName(error))) return 0;
    return hindered('alarms', 'alarms', whyNot(error, 'sns:ListSubscriptionsByTopic'));
  }
}
