/** The two names of a queue: events tell its ARN, calls want its URL. A leaf. */

/** Where a queue is called: with this, its region's endpoint is found, and the path names account and queue. */
export function queueUrlOf(queueArn: string): string {
  const [, partition = 'aws', , region = '', account = '', name = ''] = queueArn.split(':');
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://sqs.${region}.${suffix}/${account}/${name}`;
}
