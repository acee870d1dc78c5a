/**
 * Who is told, and of what: the topic, the alarms of each destination and of the service, and the few of them that wake
 * somebody. Only where `custom.alarms` says whom to tell.
 */
import { type Alarm, alarmResource } from './alarm.ts';
import { composites, muteRules } from './composites.ts';
import type { Configuration } from './destination.ts';
import { destinationAlarms } from './destination-alarms.ts';
import { type DeployedFunction, serviceAlarms } from './service-alarms.ts';
import { type Resource, ref, type Value } from './template.ts';

export interface MadeAlarms {
  readonly resources: Readonly<Record<string, Resource>>;
  /** Names of those that tell somebody at once, which a dashboard shows first. */
  readonly paging: readonly string[];
  readonly alarms: readonly Alarm[];
}

/** @param service `<service>-<stage>`, with which all names begin */
export function alarmsOf(
  service: string,
  { alarms: settings, maintenance, metrics, destinations }: Configuration,
  functions: readonly DeployedFunction[],
): MadeAlarms {
  if (settings === undefined) return { resources: {}, paging: [], alarms: [] };
  const { topic, resources } = topicOf(service, settings);
  const alarms = [
    ...destinations.flatMap((destination) =>
      destinationAlarms(destination, {
        service,
        metrics,
        alarms: settings,
        functionTimeoutSeconds: timeoutOf(functions),
      }),
    ),
    ...serviceAlarms(service, metrics, functions),
  ];
  const combined = composites(service, alarms, topic);
  return {
    resources: {
      ...resources,
      ...Object.fromEntries(alarms.map((alarm) => [alarm.logicalId, alarmResource(alarm, topic)])),
      ...combined.resources,
      ...muteRules(service, maintenance, combined),
    },
    paging: combined.names,
    alarms,
  };
}

function timeoutOf(functions: readonly DeployedFunction[]): number {
  return functions.find(({ name }) => name === 'queue')?.timeoutSeconds ?? 0;
}

function topicOf(
  service: string,
  { mail, topicArn }: NonNullable<Configuration['alarms']>,
): { readonly topic: Value; readonly resources: Record<string, Resource> } {
  if (topicArn !== undefined) return { topic: topicArn, resources: {} };
  return {
    topic: ref('AlarmTopic'),
    resources: {
      AlarmTopic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `${service}-alarms` } },
      AlarmMail: {
        Type: 'AWS::SNS::Subscription',
        Properties: { TopicArn: ref('AlarmTopic'), Protocol: 'email', Endpoint: mail },
      },
    },
  };
}
