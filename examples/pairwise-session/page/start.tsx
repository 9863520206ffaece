/** The start page: creates a session with a link for each attendee, and closes it. */
import { useState } from 'preact/hooks';
import { ask, shareableUrl } from '../../page/hub.js';
import { Avatar, CopyButton, fieldsOf, PageBar, Problem, useWork } from '../../page/ui.js';

interface Made {
  readonly project: string;
  readonly session: string;
  /** Of the project. */
  readonly key: string;
  readonly title: string;
  readonly people: readonly { readonly id: string; readonly name: string; readonly link: string }[];
}

/** Creates a project with one session, and a link for each attendee. */
async function createSession(title: string, features: readonly string[], names: readonly string[]): Promise<Made> {
  if (features.length < 2) throw new Error('Name at least two things to compare.');
  if (names.length < 2) throw new Error('Name at least two people.');
  const { project_id: project, key } = await ask<{ project_id: string; key: string }>('POST', '/api/projects', {
    name: title,
  });
  const wanted = { name: title, features: features.map(name => ({ name })) };
  const { session_id: session } = await manage<{ session_id: string }>(key, project, 'sessions', wanted);
  const people = [];
  for (const name of names) {
    const { attendee_id: id, key: ownKey } = await manage<{ attendee_id: string; key: string }>(
      key,
      project,
      'attendees',
      {
        name,
      },
    );
    const link = await shareableUrl(`/?${new URLSearchParams({ project, session, attendee: id })}#${ownKey}`);
    people.push({ id, name, link });
  }
  return { title, project, session, key, people };
}

async function closeSession({ key, project, session }: Made): Promise<void> {
  await manage(key, project, `sessions/${session}/close`, {});
}

/** Requests something that needs the key of the project. */
function manage<Answer>(key: string, project: string, what: string, body: object): Promise<Answer> {
  return ask<Answer>('POST', `/api/projects/${project}/${what}`, body, { authorization: `Bearer ${key}` });
}

export function Start() {
  const [made, setMade] = useState<Made>();
  const work = useWork();
  const submit = (event: SubmitEvent): void => {
    const { title = '', features = '', names = '' } = fieldsOf(event);
    const lines = (text: string): string[] => text.split('\n').flatMap(line => line.trim() || []);
    void work.run(async () => setMade(await createSession(title, lines(features), lines(names))));
  };
  return (
    <>
      <PageBar title="Pairwise session" />
      <main class="columns start">
        <div class="stack">
          <h2 class="headline">Two at a time, until you all agree.</h2>
          <p class="muted lead">
            Ranking a list starts an argument. Comparing two things starts a conversation. Everybody votes on each pair;
            when all votes are the same, the pair is settled.
          </p>
          <ol class="steps">
            <li>Name what you want to compare.</li>
            <li>Give each person their own link.</li>
            <li>Vote. Votes show when all are in.</li>
          </ol>
        </div>
        {made === undefined ? (
          <form class="card stack" onSubmit={submit}>
            <label class="field">
              What is it about?
              <input name="title" maxLength={80} required defaultValue="Next on the roadmap" />
            </label>
            <label class="field">
              What do you compare? 2 to 6, one a line
              <textarea name="features" rows={4} required defaultValue={'Works offline\nShared calendars\nDark mode'} />
            </label>
            <label class="field">
              Who votes? One name a line
              <textarea name="names" rows={3} required defaultValue={'Ada Lovelace\nGrace Hopper'} />
            </label>
            <button class="primary" type="submit" disabled={work.busy}>
              Make the session
            </button>
            <Problem of={work} />
          </form>
        ) : (
          <Links made={made} />
        )}
      </main>
    </>
  );
}

function Links({ made }: { readonly made: Made }) {
  const [isClosed, setClosed] = useState(false);
  const work = useWork();
  const close = () => work.run(() => closeSession(made).then(() => setClosed(true)));
  return (
    <section class="card stack" aria-live="polite">
      <h2>{isClosed ? `${made.title}: closed` : made.title}</h2>
      <p class="muted">
        {isClosed
          ? 'Everybody was disconnected. The links now show what was agreed.'
          : 'One link for each person. Open two of them to try it.'}
      </p>
      <ul id="links" class="list">
        {made.people.map(({ id, name, link }) => (
          <li key={id}>
            <Avatar name={name} id={id} />
            <span class="name">{name}</span>
            <CopyButton text={link} label={`Copy the link of ${name}`}>
              Copy
            </CopyButton>
            <a class="button" href={link} target="_blank" rel="noopener" aria-label={`Open as ${name}`}>
              Open
            </a>
          </li>
        ))}
      </ul>
      <div class="row">
        {!isClosed && (
          <button type="button" class="danger" disabled={work.busy} onClick={() => void close()}>
            Close the session
          </button>
        )}
        <a class="button" href="/">
          Make another
        </a>
      </div>
      <Problem of={work} />
    </section>
  );
}
