/** The workspace page: signs in, then shows chats, tasks and notifications as events of other programs change them. */
import { byId } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { hubClient } from '../../page/hub.js';
import { pageBar } from '../../page/page-bar.js';
import { toast } from '../../page/toasts.js';
import { Bell } from './bell.js';
import { forgetSignIn, keptSignIn, ServiceCalls, type SignedIn, signIn } from './service-calls.js';
import { Workspace } from './workspace.js';

const bell = new Bell();
const showConnection = pageBar('Workspace', bell.element);

byId('sign-in-form', HTMLFormElement).addEventListener('submit', async event => {
  event.preventDefault();
  const problem = byId('sign-in-problem', HTMLElement);
  try {
    problem.textContent = '';
    await open(await signIn(byId('name', HTMLInputElement).value.trim()));
  } catch (error) {
    problem.textContent = wordsOf(error);
  }
});

byId('sign-out', HTMLButtonElement).addEventListener('click', signOut);

const known = keptSignIn();
if (known === undefined) askWho();
else {
  open(known).catch(error => {
    toast(`${wordsOf(error)} Sign in again.`, 'bad');
    forgetSignIn();
    askWho();
  });
}

async function open(signedIn: SignedIn): Promise<void> {
  const service = new ServiceCalls(signedIn);
  const client = await hubClient('/ws', () => service.token());
  const workspace = new Workspace(client, service, bell);
  await workspace.load();
  showConnection(client);
  byId('sign-in', HTMLElement).hidden = true;
  byId('workspace', HTMLElement).hidden = false;
  workspace.begin();
}

function askWho(): void {
  byId('sign-in', HTMLElement).hidden = false;
  byId('name', HTMLInputElement).focus();
}

function signOut(): void {
  forgetSignIn();
  location.assign(location.pathname + location.search);
}
