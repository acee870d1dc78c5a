export const handler = async ({ how }) => {
  console.log('last words');
  if (how === 'abort') process.abort();
  process.exit(how);
};
