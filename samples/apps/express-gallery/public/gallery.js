fetch('/api/snippets').then((response) => response.json()).then((names) => {
  document.getElementById('list').innerHTML = names.map((name) => `<li>${name}</li>`).join('');
});
