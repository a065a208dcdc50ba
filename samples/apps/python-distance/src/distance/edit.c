#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The number of single-character edits between two byte strings. */
static PyObject *edit_distance(PyObject *self, PyObject *args) {
    const char *one, *other;
    Py_ssize_t one_length, other_length;
    if (!PyArg_ParseTuple(args, "y#y#", &one, &one_length, &other, &other_length)) return NULL;

    Py_ssize_t *row = PyMem_Malloc(((size_t)other_length + 1) * sizeof *row);
    if (!row) return PyErr_NoMemory();
    for (Py_ssize_t j = 0; j <= other_length; j++) row[j] = j;
    for (Py_ssize_t i = 1; i <= one_length; i++) {
        Py_ssize_t diagonal = row[0];
        row[0] = i;
        for (Py_ssize_t j = 1; j <= other_length; j++) {
            Py_ssize_t above = row[j];
            Py_ssize_t best = diagonal + (one[i - 1] != other[j - 1]);
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    Py_ssize_t result = row[other_length];
    PyMem_Free(row);
    return PyLong_FromSsize_t(result);
}

static PyMethodDef methods[] = {
    {"edit_distance", edit_distance, METH_VARARGS, "The edit distance of two byte strings."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_edit", NULL, -1, methods};

PyMODINIT_FUNC PyInit__edit(void) { return PyModule_Create(&module); }
