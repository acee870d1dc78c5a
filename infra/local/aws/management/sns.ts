/**
 * Topics and who has subscribed to them, as SNS lists them in its XML. Nothing is published.
 *
 * @see AWS: SNS API Reference "ListSubscriptionsByTopic"
 */
import type { Answer, Request } from '../../server/server.ts';

/** One who has not confirmed gets nothing. */
export type Subscription = 'confirmed' | 'pending';

export interface Topics {
  put(arn: string, subscriptions: readonly Subscription[]): void;
  answer(request: Request, requestId: string): Answer;
}

export function createTopics(): Topics {
  const topics = new Map<string, readonly Subscription[]>();

  function answer({ body }: Request, requestId: string): Answer {
    const form = new URLSearchParams(body.toString());
    const arn = form.get('TopicArn') ?? '';
    if (form.get('Action') !== 'ListSubscriptionsByTopic') {
      return refusal(400, 'InvalidAction', 'The operation is not imitated.', requestId);
    }
    const subscriptions = topics.get(arn);
    if (subscriptions === undefined) return refusal(404, 'NotFound', 'Topic does not exist', requestId);
    const members = subscriptions.map((state, index) => {
      const subscription =
        state === 'pending' ? 'PendingConfirmation' : `${arn}:00000000-0000-4000-8000-00000000000${index}`;
      return `<member><TopicArn>${arn}</TopicArn><Protocol>email</Protocol><SubscriptionArn>${subscription}</SubscriptionArn><Owner>123456789012</Owner><Endpoint>night@example.com</Endpoint></member>`;
    });
    const result = `<ListSubscriptionsByTopicResult><Subscriptions>${members.join('')}</Subscriptions></ListSubscriptionsByTopicResult>`;
    return xml(
      200,
      `<ListSubscriptionsByTopicResponse xmlns="${NAMESPACE}">${result}${metadata(requestId)}</ListSubscriptionsByTopicResponse>`,
    );
  }

  return {
    put: (arn, subscriptions) => {
      topics.set(arn, subscriptions);
    },
    answer,
  };
}

const NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';

function metadata(requestId: string): string {
  return `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
}

function refusal(status: number, code: string, message: string, requestId: string): Answer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return xml(status, `<ErrorResponse xmlns="${NAMESPACE}">${error}<RequestId>${requestId}</RequestId></ErrorResponse>`);
}

function xml(status: number, body: string): Answer {
  return { status, headers: { 'Content-Type': 'text/xml' }, body };
}
