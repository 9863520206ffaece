/** The selected chat: messages, posted and edited live, its tasks, and a form that plays another program. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { newId, wordsOf } from '../../page/hub.js';
import { beginsGroup, Composer, LinkedText, MessageItem, MessageScroll, TypingLine } from '../../page/messages.js';
import { TalkHeader } from '../../page/panes.js';
import { fieldsOf, Problem, toast, useWork } from '../../page/ui.js';
import type { Message } from './payloads.js';
import type { Chat, Workspace } from './workspace.js';

const TYPING = { begins: 'chat.typing', ends: ['chat.message.posted'] };
const STATUSES = { open: 'Open', doing: 'In progress', review: 'In review', done: 'Done' };

interface Selected {
  readonly chat: Chat;
  readonly workspace: Workspace;
}

export function Talk(props: Selected & { readonly sideOpen: boolean; toggleSide(): void }) {
  const { chat, workspace } = props;
  const [editing, setEditing] = useState<string>();
  const messages = chat.messages.map(message => ({ ...message, at: new Date(message.at) }));
  const last = messages.at(-1);
  const problem = chat.problem ?? (chat.isSubscribed ? '' : 'Not subscribed: what happens here does not arrive.');
  const toggleSubscription = (): void => {
    if (!chat.isSubscribed) workspace.subscribe(chat);
    else workspace.unsubscribe(chat).catch(error => toast(wordsOf(error), 'bad'));
  };
  return (
    <>
      <section
        class="talk"
        aria-labelledby="talk-title"
        data-subscription={chat.isLive ? 'open' : chat.isSubscribed ? 'requested' : 'none'}
      >
        <TalkHeader title={chat.title} about={chat.members.map(({ name }) => name).join(', ')}>
          <button
            type="button"
            class="quiet show-side"
            aria-expanded={props.sideOpen}
            aria-controls="side"
            onClick={props.toggleSide}
          >
            Tasks
          </button>
          <button type="button" class="quiet" id="subscription" onClick={toggleSubscription}>
            {chat.isSubscribed ? 'Unsubscribe' : 'Subscribe'}
          </button>
        </TalkHeader>
        {problem !== '' && (
          <p class="notice warn" role="alert">
            {problem}
          </p>
        )}
        <MessageScroll
          room={chat.id}
          first={messages[0]?.message_id}
          last={last?.message_id}
          ownLast={last?.author.id === workspace.me.id}
        >
          <div role="log" aria-labelledby="talk-title">
            <ol id="messages">
              {messages.map((message, index) => {
                const { message_id, author, text, edited_at } = message;
                const own = author.id === workspace.me.id;
                const isEditing = message_id === editing;
                return (
                  <MessageItem
                    key={message_id}
                    author={author}
                    at={message.at}
                    own={own}
                    first={beginsGroup(message, messages[index - 1])}
                    attributes={{ 'data-message': message_id }}
                    action={own && !isEditing && <EditButton text={text} edit={() => setEditing(message_id)} />}
                  >
                    {isEditing ? (
                      <Editor
                        text={text}
                        save={next => workspace.edit(chat, message_id, next)}
                        close={() => setEditing(undefined)}
                      />
                    ) : (
                      <p class="text">
                        <LinkedText text={text} />
                        {edited_at !== undefined && <Edited at={edited_at} />}
                      </p>
                    )}
                  </MessageItem>
                );
              })}
            </ol>
          </div>
          {messages.length === 0 && <p class="empty">No messages yet. Write one, or let another program post it.</p>}
        </MessageScroll>
        <TypingLine room={chat.room} me={workspace.me} frames={TYPING} />
        <Composer
          draft={chat}
          label="Message"
          typing={{ typing: () => workspace.typing(chat), stopTyping: () => {} }}
          send={text => workspace.post(chat, text)}
        />
      </section>
      <aside class="side-pane" id="side" aria-label="Tasks and events">
        <Tasks chat={chat} workspace={workspace} />
        <OtherProgram chat={chat} workspace={workspace} />
      </aside>
    </>
  );
}

function Edited({ at }: { readonly at: string }) {
  return (
    <span class="muted small" title={new Date(at).toLocaleString()}>
      {' '}
      edited
    </span>
  );
}

function EditButton({ text, edit }: { readonly text: string; edit(): void }) {
  return (
    <button type="button" class="quiet beside" onClick={edit}>
      Edit<span class="visually-hidden"> the message {text}</span>
    </button>
  );
}

/** Closes on Escape; the focus returns to the message's button. */
function Editor(props: { readonly text: string; save(text: string): void; close(): void }) {
  const { text, save, close } = props;
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    input.current?.focus();
    const item = input.current?.closest('li');
    // Once the button is there again.
    return () => void setTimeout(() => item?.querySelector<HTMLElement>('.beside')?.focus());
  }, []);
  const submit = (event: SubmitEvent): void => {
    const { edited = '' } = fieldsOf(event);
    if (edited !== '' && edited !== text) save(edited);
    close();
  };
  return (
    <form class="row" onSubmit={submit} onKeyDown={({ key }) => key === 'Escape' && close()}>
      <input class="grow" ref={input} name="edited" defaultValue={text} maxLength={2000} aria-label="Edited message" />
      <button type="submit" class="primary">
        Save
      </button>
      <button type="button" onClick={close}>
        Cancel
      </button>
    </form>
  );
}

function Tasks({ chat, workspace }: Selected) {
  const add = (event: SubmitEvent): void => {
    const form = event.currentTarget as HTMLFormElement;
    workspace.addTask(chat, fieldsOf(event).title ?? '');
    form.reset();
  };
  return (
    <section class="stack">
      <h3 id="tasks-title">Tasks</h3>
      <ul class="list tasks" aria-labelledby="tasks-title" aria-live="polite">
        {chat.tasks.map(({ task_id, title, status }) => (
          <li key={task_id} data-task={task_id}>
            <span class="name">{title}</span>
            <select
              class={`chip ${status}`}
              aria-label={`Status of ${title}`}
              value={status}
              onChange={({ currentTarget }) => workspace.changeTask(chat, task_id, currentTarget.value)}
            >
              {Object.entries(STATUSES).map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          </li>
        ))}
      </ul>
      {chat.tasks.length === 0 && <p class="muted small">No tasks yet.</p>}
      <form class="row" onSubmit={add}>
        <input
          class="grow"
          name="title"
          aria-label="Title of a new task"
          placeholder="New task"
          maxLength={120}
          required
        />
        <button type="submit">Add</button>
      </form>
    </section>
  );
}

/** Publishes any domain event, and shows how a shell publishes it. */
function OtherProgram({ chat, workspace }: Selected) {
  const work = useWork();
  const examples = (): Readonly<Record<string, object>> => {
    const [chat_id, user_id] = [chat.id, workspace.me.id];
    const message: Message | undefined = chat.messages.at(-1);
    const notice = 'The announcement waits for your review';
    return {
      MessagePosted: { chat_id, message_id: `m-${newId()}`, user_id, text: 'Written by another program' },
      MessageEdited: { chat_id, message_id: message?.message_id ?? 'm-1', text: 'Edited by another program' },
      StatusChanged: { chat_id, task_id: 'T-1', status: 'review' },
      NotificationCreated: { user_id, notification_id: `n-${newId()}`, text: notice, chat_id },
    };
  };
  const exampleOf = (event: string): string => JSON.stringify({ event, ...examples()[event] }, null, 2);
  const [kind, setKind] = useState('MessagePosted');
  const [event, setEvent] = useState(() => exampleOf(kind));
  const select = (next: string): void => {
    setKind(next);
    setEvent(exampleOf(next));
  };
  const publish = (submitted: SubmitEvent): void => {
    submitted.preventDefault();
    void work.run(async () => {
      await workspace.publish(JSON.parse(event));
      select(kind); // With new ids.
    });
  };
  const word = event.replace(/\s*\n\s*/g, ' ').replaceAll("'", "'\\''");
  return (
    <details class="bus">
      <summary>Be another program</summary>
      <form class="stack" onSubmit={publish}>
        <p class="muted small">Changes on this page are domain events, too. Publish any event:</p>
        <select aria-label="Kind of event" value={kind} onChange={({ currentTarget }) => select(currentTarget.value)}>
          {Object.keys(examples()).map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <textarea
          class="code"
          rows={8}
          spellcheck={false}
          aria-label="Domain event as JSON"
          value={event}
          onInput={({ currentTarget }) => setEvent(currentTarget.value)}
        />
        <Problem of={work} />
        <button type="submit" disabled={work.busy}>
          Publish
        </button>
        {workspace.commands.map(command => (
          <pre key={command} class="code">{`${command} '${word}'`}</pre>
        ))}
      </form>
    </details>
  );
}
