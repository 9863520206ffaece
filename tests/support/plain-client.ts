/** A chat's browser client, written without our SDK for a server of one process: it must work unchanged. */

/** The client is verbatim; only its page is ours. */
export const PLAIN_CLIENT = `
class ChatClient {
  constructor(url, token) {
    this.url = url;
    this.token = token;
    this.handlers = {};
    this.attempts = 0;
    this.rooms = new Set();
    this.connect();
  }
  connect() {
    this.ws = new WebSocket(this.url + '?token=' + this.token);
    this.ws.onopen = () => {
      this.attempts = 0;
      for (const room of this.rooms) this.send('join_room', null, { room_id: room });
      this.emit('open');
    };
    this.ws.onmessage = event => {
      const message = JSON.parse(event.data);
      this.emit(message.type, message);
    };
    this.ws.onclose = () => {
      this.emit('close');
      if (this.stopped) return;
      const delay = Math.min(1000 * 2 ** this.attempts, 30000);
      this.attempts++;
      setTimeout(() => this.connect(), delay);
    };
  }
  on(type, handler) {
    (this.handlers[type] ||= []).push(handler);
  }
  emit(type, message) {
    for (const handler of this.handlers[type] || []) handler(message);
  }
  send(type, room, payload) {
    this.ws.send(JSON.stringify({ type, room, payload, timestamp: new Date().toISOString() }));
  }
  join(room) {
    this.rooms.add(room);
    this.send('join_room', null, { room_id: room });
  }
  leave(room) {
    this.rooms.delete(room);
    this.send('leave_room', null, { room_id: room });
  }
  say(room, content) {
    this.send('send_message', room, { content });
  }
  typing(room) {
    this.send('typing', room, {});
  }
  stop() {
    this.stopped = true;
    this.ws.close();
  }
}
`;
