-- Opens a Dockerfile, sees what is found, repairs one thing by hand and the rest by saving, and reads a page.
-- tests/editors.rs runs it in a headless Neovim that is set up as docs/editors.md says, and looks at the files afterwards.

local function check(is_true, what)
  if is_true then return end
  io.stderr:write('neovim.lua: ' .. what .. '\n')
  vim.cmd('cquit 1')
end

local function wait_for(what, is_true)
  check(vim.wait(10000, is_true, 10), 'not within ten seconds: ' .. what)
end

local function rules()
  local ids = vim.tbl_map(function(each) return each.code or each.user_data.lsp.code end, vim.diagnostic.get(0))
  table.sort(ids)
  return table.concat(ids, ' ')
end

local function hovered()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
      return table.concat(lines, '\n')
    end
  end
end

-- See.
vim.cmd('edit unix/Dockerfile')
wait_for('findings', function() return rules() == 'add-local-file add-local-file root-user' end)
local first = vim.diagnostic.get(0)[1]
check(first.source == 'ironhull' and first.severity == vim.diagnostic.severity.ERROR, vim.inspect(first))

-- Read.
vim.api.nvim_win_set_cursor(0, { 4, 1 })
vim.lsp.buf.hover()
wait_for('the page of the rule', hovered)
for _, part in ipairs({ 'add-local-file', 'Why', 'What to do', 'Use `COPY` (safe)' }) do
  check(hovered():find(part, 1, true), part .. ' is missing in:\n' .. hovered())
end

-- Repair one by hand: the first quick fix of the line.
local place = { line = 3, character = 1 }
local answers = vim.lsp.buf_request_sync(0, 'textDocument/codeAction', {
  textDocument = vim.lsp.util.make_text_document_params(),
  range = { start = place, ['end'] = place },
  context = { diagnostics = {}, only = { 'quickfix' } },
}, 10000)
local id, answer = next(answers)
local action = answer.result[1]
check(action.title == 'Use `COPY`' and action.isPreferred, vim.inspect(answer))
vim.lsp.util.apply_workspace_edit(action.edit, vim.lsp.get_client_by_id(id).offset_encoding)
check(vim.api.nvim_buf_get_lines(0, 3, 4, false)[1] == 'COPY run.sh /srv/ü𝓤/', 'the quick fix was not done')
wait_for('one finding less', function() return rules() == 'add-local-file root-user' end)

-- Type behind characters that count differently in bytes, in UTF-16 and on the screen; then save.
vim.api.nvim_buf_set_text(0, 2, 15, 2, 15, { ' && curl -k https://a.example' })
wait_for('a finding in what was typed', function() return rules():find('tls-verification-off', 1, true) end)
vim.cmd('undo')
wait_for('none any more', function() return not rules():find('tls-verification-off', 1, true) end)
vim.cmd('write')
wait_for('what saving leaves', function() return rules() == 'root-user' end)

-- Saving alone, with the other line ending, and without one at the end.
for _, name in ipairs({ 'dos/Dockerfile', 'cut/Dockerfile' }) do
  vim.cmd('edit ' .. name)
  wait_for('findings of ' .. name, function() return rules() == 'add-local-file add-local-file root-user' end)
  vim.cmd('write')
  wait_for('what saving leaves of ' .. name, function() return rules() == 'root-user' end)
end

vim.cmd('qall!')
