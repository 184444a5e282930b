// An earlier run had written one answer, and was ended in the midst of the next.
File answers = new File(basedir, 'target/answers.jsonl')
answers.parentFile.mkdirs()
answers.setText('{"id":"france","text":"as before","finish_reason":"END_OF_GENERATION"}\n{"id":"germany","te', 'UTF-8')
return true
