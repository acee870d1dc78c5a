export class OrderError extends Error {
  name = 'OrderError';
}
export const handler = async ({ as }) => {
  if (as === 'string') throw 'plain text';
  throw new OrderError('no such order');
};
