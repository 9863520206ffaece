/** Orders between the run and its load processes: a command over IPC, and its answer. */

/**
 * The child's side: executes the parent's orders, and ends when the parent is gone.
 * @param {Record<string, (order: any) => Promise<unknown>>} commands
 */
export function obey(commands) {
  process.on('message', async ({ id, command, order }) => {
    try {
      process.send({ id, result: await commands[command](order) });
    } catch (error) {
      process.send({ id, error: error.message });
    }
  });
  process.on('disconnect', () => process.exit());
}

/**
 * The parent's side. Every order is answered, refused, or abandoned after `withinMs`.
 * @param {import('node:child_process').ChildProcess} child @param {string} name for errors
 */
export function commander(child, name) {
  const waiting = new Map();
  let lastId = 0;
  child.on('message', ({ id, result, error }) => {
    const order = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) order?.resolve(result);
    else order?.reject(new Error(`${name}: ${error}`));
  });
  child.on('exit', code => {
    for (const order of waiting.values()) order.reject(new Error(`${name} ended with code ${code}.`));
    waiting.clear();
  });
  return (command, order = {}, withinMs = 60_000) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const timer = setTimeout(() => reject(new Error(`${name} did not ${command} within ${withinMs} ms.`)), withinMs);
      const done = settle => value => {
        clearTimeout(timer);
        settle(value);
      };
      waiting.set(id, { resolve: done(resolve), reject: done(reject) });
      child.send({ id, command, order }, error => error && waiting.get(id)?.reject(error));
    });
}
