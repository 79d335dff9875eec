// Served as /open.js. Trades the one-time code in the address for the cookie of a session, and goes on to the dashboard.
const code = location.hash.slice(1);
// Out of the address bar and the history before anything else.
history.replaceState(null, '', '/open');

const say = (text) => {
  document.getElementById('message').textContent = text;
};

const FAILURES = {
  401: 'This address was used already, or is older than a minute. Run again: callsheet open',
  429: 'Too many wrong addresses were tried. Wait a few seconds and run again: callsheet open',
};

try {
  if (code === '') {
    say('This page opens by a command. Run: callsheet open');
  } else {
    const answer = await fetch('/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ code }),
    });
    if (answer.ok) {
      // Kept for this address with its port; the cookie, which knows no port, is nothing without it.
      localStorage.setItem('callsheet-page', (await answer.json()).page);
      location.replace('/');
    } else say(FAILURES[answer.status] ?? `The daemon refused: ${await answer.text()}`);
  }
} catch {
  say('The daemon does not answer. Start it and run again: callsheet open');
}
