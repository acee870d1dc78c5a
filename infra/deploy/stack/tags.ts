/**
 * `custom.tags` on every resource of ours that takes tags. Not left to the framework's `stackTags`: a template that another
 * tool deploys has them, too.
 */
import type { Resource } from './template.ts';

/** How CloudFormation wants them: `Tags: [{ Key, Value }]`, or `Tags: { key: value }`. */
const SHAPES: Readonly<Record<string, 'list' | 'map'>> = {
  'AWS::SQS::Queue': 'list',
  'AWS::IAM::Role': 'list',
  'AWS::Lambda::EventSourceMapping': 'list',
  'AWS::Logs::LogGroup': 'list',
  'AWS::SNS::Topic': 'list',
  'AWS::CloudWatch::Alarm': 'list',
  'AWS::CloudWatch::CompositeAlarm': 'list',
  'AWS::CloudWatch::AlarmMuteRule': 'list',
  'AWS::CloudWatch::Dashboard': 'list',
  'AWS::ApiGatewayV2::DomainName': 'map',
};

type Tags = Readonly<Record<string, string>>;

/** For `Tags` of a resource that has none of its own yet. */
export function tagList(tags: Tags): object {
  if (Object.keys(tags).length === 0) return {};
  return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
}

export function tagMap(tags: Tags): object {
  return Object.keys(tags).length === 0 ? {} : { Tags: tags };
}

export function tagged(resources: Readonly<Record<string, Resource>>, tags: Tags): Readonly<Record<string, Resource>> {
  return Object.fromEntries(
    Object.entries(resources).map(([id, resource]) => {
      const shape = SHAPES[resource.Type];
      if (shape === undefined) return [id, resource];
      const added = shape === 'list' ? tagList(tags) : tagMap(tags);
      return [id, { ...resource, Properties: { ...resource.Properties, ...added } }];
    }),
  );
}
