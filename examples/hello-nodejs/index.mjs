export const handler = async (event, context) => {
  const name = event.name ?? "world";
  console.log(`greeting ${name}`);
  return { message: `Hello ${name}, from Node.js ${process.versions.node}`, function: context.functionName };
};
