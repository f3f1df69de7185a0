/** The chat in a browser. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chat</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
  form { display: flex; gap: .5rem }
  input { flex: 1; font: inherit; padding: .25rem .5rem }
  ol { list-style: none; padding: 0 }
</style>
<h1>Chat</h1>
<ol id="log" aria-live="polite"></ol>
<form><input name="text" aria-label="Message" autocomplete="off" autofocus><button>Send</button></form>
<script>
  const name = prompt('Your name') || 'somebody';
  const log = document.querySelector('#log');
  const show = (text) => log.append(Object.assign(document.createElement('li'), { textContent: text }));
  let socket;
  function connect() {
    socket = new WebSocket('/ws?name=' + encodeURIComponent(name));
    socket.onmessage = ({ data }) => {
      const { from, text, joined, left, here } = JSON.parse(data);
      if (from) show(from + ': ' + text);
      else if (joined) show(joined + ' has come');
      else if (left) show(left + ' has left');
      else show('Here: ' + here.join(', '));
    };
    socket.onclose = () => setTimeout(connect, 1000);
  }
  connect();
  document.querySelector('form').onsubmit = (event) => {
    event.preventDefault();
    const { text } = event.target.elements;
    if (text.value !== '') socket.send(text.value);
    text.value = '';
  };
</script>
</html>
`;
