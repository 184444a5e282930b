// The record has what the model answered.
assert new File(basedir, 'build.log').readLines('UTF-8').contains('Country[name=France, zh=法国, alpha2=FR, alpha3=FRA]')
return true
