// What a kernel needs of it is there already.
#pragma once
