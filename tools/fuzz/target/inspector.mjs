/**
 * Collects a process's garbage through Node's inspector, so that its heap contains only live objects.
 * Without a collection the size of a heap does not show leaks. The inspector needs no code in the process.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';

const LISTENING = /Debugger listening on (ws:\S+)/;

/** @param {string} words output on stderr @returns {string | undefined} */
export function inspectorUrlIn(words) {
  return LISTENING.exec(words)?.[1];
}

/** @param {string} url @returns {Promise<number>} bytes of the heap in use after a full collection */
export async function collectGarbage(url) {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  try {
    await ask(socket, 1, 'HeapProfiler.enable');
    // The second collection frees the objects that weak references and finalizers released in the first.
    await ask(socket, 2, 'HeapProfiler.collectGarbage');
    await ask(socket, 3, 'HeapProfiler.collectGarbage');
    const { usedSize } = await ask(socket, 4, 'Runtime.getHeapUsage');
    return usedSize;
  } finally {
    socket.terminate();
  }
}

async function ask(socket, id, method) {
  socket.send(JSON.stringify({ id, method }));
  for (;;) {
    const [data] = await once(socket, 'message');
    const answer = JSON.parse(data);
    if (answer.id === id) return answer.result;
  }
}
